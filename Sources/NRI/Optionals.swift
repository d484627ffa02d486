import OCISpec
import SwiftProtobuf

/// The wrappers that tell "not set" from zero.
extension NRIOptionalInt { init(_ value: Int64) { self = .with { $0.value = value } } }
extension NRIOptionalInt64 { init(_ value: Int64) { self = .with { $0.value = value } } }
extension NRIOptionalUInt64 { init(_ value: UInt64) { self = .with { $0.value = value } } }
extension NRIOptionalUInt32 { init(_ value: UInt32) { self = .with { $0.value = value } } }
extension NRIOptionalBool { init(_ value: Bool) { self = .with { $0.value = value } } }
extension NRIOptionalFileMode { init(_ value: UInt32) { self = .with { $0.value = value } } }

extension NRILinuxResources {
    init(_ resources: LinuxResources) {
        self.init()
        if let cpu = resources.cpu {
            self.cpu = NRILinuxCPU()
            if let value = cpu.shares { self.cpu.shares = NRIOptionalUInt64(value) }
            if let value = cpu.quota { self.cpu.quota = NRIOptionalInt64(value) }
            if let value = cpu.period { self.cpu.period = NRIOptionalUInt64(value) }
            if let value = cpu.realtimeRuntime { self.cpu.realtimeRuntime = NRIOptionalInt64(value) }
            if let value = cpu.realtimePeriod { self.cpu.realtimePeriod = NRIOptionalUInt64(value) }
            self.cpu.cpus = cpu.cpus ?? ""
            self.cpu.mems = cpu.mems ?? ""
        }
        if let memory = resources.memory {
            self.memory = NRILinuxMemory()
            if let value = memory.limit { self.memory.limit = NRIOptionalInt64(value) }
            if let value = memory.reservation { self.memory.reservation = NRIOptionalInt64(value) }
            if let value = memory.swap { self.memory.swap = NRIOptionalInt64(value) }
            if let value = memory.kernel { self.memory.kernel = NRIOptionalInt64(value) }
            if let value = memory.kernelTCP { self.memory.kernelTcp = NRIOptionalInt64(value) }
            if let value = memory.swappiness { self.memory.swappiness = NRIOptionalUInt64(value) }
            if let value = memory.disableOOMKiller { self.memory.disableOomKiller = NRIOptionalBool(value) }
            if let value = memory.useHierarchy { self.memory.useHierarchy = NRIOptionalBool(value) }
        }
        hugepageLimits = resources.hugepageLimits.map { limit in
            .with {
                $0.pageSize = limit.pageSize
                $0.limit = limit.limit
            }
        }
        if let limit = resources.pids?.limit { pids = .with { $0.limit = limit } }
        unified = resources.unified
        devices = resources.devices.map { rule in
            .with {
                $0.allow = rule.allow
                $0.type = rule.type ?? ""
                $0.access = rule.access ?? ""
                if let major = rule.major { $0.major = NRIOptionalInt64(major) }
                if let minor = rule.minor { $0.minor = NRIOptionalInt64(minor) }
            }
        }
    }

    /// What of it is set, in the runtime specification's words.
    var spec: LinuxResources {
        var found = LinuxResources()
        if hasCpu {
            let texts = (cpu.cpus.isEmpty ? nil : cpu.cpus, cpu.mems.isEmpty ? nil : cpu.mems)
            found.cpu = LinuxCPU(
                shares: cpu.hasShares ? cpu.shares.value : nil, quota: cpu.hasQuota ? cpu.quota.value : nil,
                period: cpu.hasPeriod ? cpu.period.value : nil,
                realtimeRuntime: cpu.hasRealtimeRuntime ? cpu.realtimeRuntime.value : nil,
                realtimePeriod: cpu.hasRealtimePeriod ? cpu.realtimePeriod.value : nil, cpus: texts.0, mems: texts.1)
        }
        if hasMemory {
            found.memory = LinuxMemory(
                limit: memory.hasLimit ? memory.limit.value : nil,
                reservation: memory.hasReservation ? memory.reservation.value : nil,
                swap: memory.hasSwap ? memory.swap.value : nil, kernel: memory.hasKernel ? memory.kernel.value : nil,
                kernelTCP: memory.hasKernelTcp ? memory.kernelTcp.value : nil,
                swappiness: memory.hasSwappiness ? memory.swappiness.value : nil,
                disableOOMKiller: memory.hasDisableOomKiller ? memory.disableOomKiller.value : nil,
                useHierarchy: memory.hasUseHierarchy ? memory.useHierarchy.value : nil)
        }
        if found.cpu == LinuxCPU() { found.cpu = nil }
        if found.memory == LinuxMemory() { found.memory = nil }
        found.hugepageLimits = hugepageLimits.map { LinuxHugepageLimit(pageSize: $0.pageSize, limit: $0.limit) }
        if hasPids { found.pids = LinuxPids(limit: pids.limit) }
        found.unified = unified
        return found
    }
}
