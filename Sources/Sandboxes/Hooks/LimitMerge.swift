import CRI
import OCISpec

extension LinuxResources {
    /// `self` with what `update` sets; what it doesn't set stays.
    public func merged(with update: LinuxResources) -> LinuxResources {
        var merged = self
        if let new = update.cpu {
            var cpu = merged.cpu ?? LinuxCPU()
            cpu.shares = new.shares ?? cpu.shares
            cpu.quota = new.quota ?? cpu.quota
            cpu.period = new.period ?? cpu.period
            cpu.burst = new.burst ?? cpu.burst
            cpu.realtimeRuntime = new.realtimeRuntime ?? cpu.realtimeRuntime
            cpu.realtimePeriod = new.realtimePeriod ?? cpu.realtimePeriod
            cpu.cpus = new.cpus ?? cpu.cpus
            cpu.mems = new.mems ?? cpu.mems
            merged.cpu = cpu
        }
        if let new = update.memory {
            var memory = merged.memory ?? LinuxMemory()
            memory.limit = new.limit ?? memory.limit
            memory.reservation = new.reservation ?? memory.reservation
            memory.swap = new.swap ?? memory.swap
            memory.kernel = new.kernel ?? memory.kernel
            memory.kernelTCP = new.kernelTCP ?? memory.kernelTCP
            memory.swappiness = new.swappiness ?? memory.swappiness
            memory.disableOOMKiller = new.disableOOMKiller ?? memory.disableOOMKiller
            memory.useHierarchy = new.useHierarchy ?? memory.useHierarchy
            merged.memory = memory
        }
        merged.pids = update.pids ?? merged.pids
        for limit in update.hugepageLimits {
            merged.hugepageLimits.removeAll { $0.pageSize == limit.pageSize }
            merged.hugepageLimits.append(limit)
        }
        merged.unified.merge(update.unified) { $1 }
        return merged
    }

    /// What of it the CRI has words for.
    func noted(in old: CRILinuxContainerResources) -> CRILinuxContainerResources {
        var noted = old
        if let shares = cpu?.shares { noted.cpuShares = Int64(clamping: shares) }
        if let period = cpu?.period { noted.cpuPeriod = Int64(clamping: period) }
        if let quota = cpu?.quota { noted.cpuQuota = quota }
        if let cpus = cpu?.cpus { noted.cpusetCpus = cpus }
        if let mems = cpu?.mems { noted.cpusetMems = mems }
        if let limit = memory?.limit { noted.memoryLimitInBytes = limit }
        if let swap = memory?.swap { noted.memorySwapLimitInBytes = swap }
        noted.unified.merge(unified) { $1 }
        return noted
    }
}
