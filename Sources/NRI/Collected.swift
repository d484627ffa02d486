import Sandboxes
import SwiftProtobuf

/// What plugins, one after the other, would have otherwise: each sees what those before it have changed.
struct Collected: Sendable {
    /// The container as the next plugin sees it.
    private(set) var container: NRIContainer
    /// Everything that was asked for, as one.
    private(set) var adjustment = NRIContainerAdjustment()
    private(set) var updates: [NRIContainerUpdate] = []
    private(set) var evictions: [NRIContainerEviction] = []
    private(set) var owners = Ownership()

    init(_ container: NRIContainer) { self.container = container }

    /// Adds what one plugin answered to a container's making.
    mutating func add(_ response: NRICreateContainerResponse, by plugin: String) throws(Conflict) {
        try adjust(response.adjust, plugin)
        try add(response.update, by: plugin)
        evictions += response.evict
    }

    mutating func add(evictions: [NRIContainerEviction]) { self.evictions += evictions }

    /// Adds other limits for containers that are there.
    mutating func add(_ updates: [NRIContainerUpdate], by plugin: String) throws(Conflict) {
        for update in updates {
            do throws(Conflict) {
                try claimLimits(update.linux.resources, of: update.containerID, plugin)
            } catch {
                if update.ignoreFailure { continue }
                throw error
            }
            if let index = self.updates.firstIndex(where: { $0.containerID == update.containerID }) {
                self.updates[index].linux.resources.take(update.linux.resources)
            } else {
                self.updates.append(update)
            }
        }
    }

    private mutating func adjust(_ wish: NRIContainerAdjustment, _ plugin: String) throws(Conflict) {
        let claim = Claim(container: container.id, plugin: plugin)
        try claim.adjust(
            .annotations, &owners, seen: &container.annotations, asked: &adjustment.annotations, wish.annotations)
        try claim.adjust(
            .mounts, &owners, seen: &container.mounts, asked: &adjustment.mounts, wish.mounts, key: { $0.destination },
            remove: { name in NRIMount.with { $0.destination = "-" + name } })
        try adjustEnvironment(wish.env, plugin)
        try adjustArguments(wish.args, plugin)
        adjustHooks(wish.hooks)
        for limit in wish.rlimits {
            try owners.claim(.rlimits, limit.type, of: container.id, by: plugin)
            container.rlimits.removeAll { $0.type == limit.type }
            container.rlimits.append(limit)
            adjustment.rlimits.append(limit)
        }
        for device in wish.cdiDevices {
            try owners.claim(.cdiDevices, device.name, of: container.id, by: plugin)
            adjustment.cdiDevices.append(device)
        }
        if wish.hasLinux { try adjust(wish.linux, plugin) }
    }

    private mutating func adjust(_ wish: NRILinuxContainerAdjustment, _ plugin: String) throws(Conflict) {
        let id = container.id
        let claim = Claim(container: id, plugin: plugin)
        try claim.adjust(
            .devices, &owners, seen: &container.linux.devices, asked: &adjustment.linux.devices, wish.devices,
            key: { $0.path }, remove: { name in NRILinuxDevice.with { $0.path = "-" + name } })
        try claim.adjust(
            .namespace, &owners, seen: &container.linux.namespaces, asked: &adjustment.linux.namespaces,
            wish.namespaces, key: { $0.type }, remove: { name in NRILinuxNamespace.with { $0.type = "-" + name } })
        try claim.adjust(
            .sysctl, &owners, seen: &container.linux.sysctl, asked: &adjustment.linux.sysctl, wish.sysctl)
        try claim.adjust(
            .linuxNetDevices, &owners, seen: &container.linux.netDevices, asked: &adjustment.linux.netDevices,
            wish.netDevices)
        if wish.hasResources {
            try claimLimits(wish.resources, of: id, plugin)
            container.linux.resources.take(wish.resources)
            adjustment.linux.resources.take(wish.resources)
        }
        if !wish.cgroupsPath.isEmpty {
            try owners.claim(.cgroupsPath, of: id, by: plugin)
            container.linux.cgroupsPath = wish.cgroupsPath
            adjustment.linux.cgroupsPath = wish.cgroupsPath
        }
        if wish.hasOomScoreAdj {
            try owners.claim(.oomScoreAdj, of: id, by: plugin)
            container.linux.oomScoreAdj = wish.oomScoreAdj
            adjustment.linux.oomScoreAdj = wish.oomScoreAdj
        }
        if wish.hasIoPriority {
            try owners.claim(.ioPriority, of: id, by: plugin)
            container.linux.ioPriority = wish.ioPriority
            adjustment.linux.ioPriority = wish.ioPriority
        }
        if wish.hasSeccompPolicy {
            try owners.claim(.seccompPolicy, of: id, by: plugin)
            container.linux.seccompPolicy = wish.seccompPolicy
            adjustment.linux.seccompPolicy = wish.seccompPolicy
        }
        if wish.hasScheduler {
            try owners.claim(.linuxSched, of: id, by: plugin)
            container.linux.scheduler = wish.scheduler
            adjustment.linux.scheduler = wish.scheduler
        }
        if wish.hasMemoryPolicy {
            try owners.claim(.memoryPolicy, of: id, by: plugin)
            adjustment.linux.memoryPolicy = wish.memoryPolicy
        }
        if wish.hasRdt { try adjust(wish.rdt, plugin) }
    }

    private mutating func adjust(_ wish: NRILinuxRdt, _ plugin: String) throws(Conflict) {
        let id = container.id
        if wish.remove {
            for field in [NRIField.rdtClosID, .rdtSchemata, .rdtEnableMonitoring] { owners.release(field, of: id) }
            adjustment.linux.rdt = .with { $0.remove = true }
        }
        if wish.hasClosID {
            try owners.claim(.rdtClosID, of: id, by: plugin)
            adjustment.linux.rdt.closID = wish.closID
            adjustment.linux.rdt.remove = false
        }
        if wish.hasSchemata {
            try owners.claim(.rdtSchemata, of: id, by: plugin)
            adjustment.linux.rdt.schemata = wish.schemata
            adjustment.linux.rdt.remove = false
        }
        if wish.hasEnableMonitoring {
            try owners.claim(.rdtEnableMonitoring, of: id, by: plugin)
            adjustment.linux.rdt.enableMonitoring = wish.enableMonitoring
            adjustment.linux.rdt.remove = false
        }
    }

    private mutating func adjustEnvironment(_ wish: [NRIKeyValue], _ plugin: String) throws(Conflict) {
        var pairs = container.env.map { text -> NRIKeyValue in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return .with {
                $0.key = String(parts[0])
                $0.value = parts.count > 1 ? String(parts[1]) : ""
            }
        }
        try Claim(container: container.id, plugin: plugin).adjust(
            .env, &owners, seen: &pairs, asked: &adjustment.env, wish, key: { $0.key },
            remove: { name in NRIKeyValue.with { $0.key = "-" + name } })
        container.env = pairs.map { $0.key + "=" + $0.value }
    }

    /// An empty first argument says that what an earlier plugin has set may be replaced.
    private mutating func adjustArguments(_ wish: [String], _ plugin: String) throws(Conflict) {
        guard !wish.isEmpty else { return }
        if wish[0].isEmpty { owners.release(.args, of: container.id) }
        try owners.claim(.args, of: container.id, by: plugin)
        adjustment.args = wish[0].isEmpty ? Array(wish.dropFirst()) : wish
        container.args = adjustment.args
    }

    /// Hooks of several plugins all run, in the plugins' order.
    private mutating func adjustHooks(_ wish: NRIHooks) {
        container.hooks.append(wish)
        adjustment.hooks.append(wish)
    }

    private mutating func claimLimits(_ wish: NRILinuxResources, of id: String, _ plugin: String) throws(Conflict) {
        let (cpu, memory) = (wish.cpu, wish.memory)
        let set: [(Bool, NRIField)] = [
            (memory.hasLimit, .memLimit), (memory.hasReservation, .memReservation), (memory.hasSwap, .memSwapLimit),
            (memory.hasKernel, .memKernelLimit), (memory.hasKernelTcp, .memTcplimit),
            (memory.hasSwappiness, .memSwappiness), (memory.hasDisableOomKiller, .memDisableOomKiller),
            (memory.hasUseHierarchy, .memUseHierarchy), (cpu.hasShares, .cpushares), (cpu.hasQuota, .cpuquota),
            (cpu.hasPeriod, .cpuperiod), (cpu.hasRealtimeRuntime, .cpurealtimeRuntime),
            (cpu.hasRealtimePeriod, .cpurealtimePeriod), (!cpu.cpus.isEmpty, .cpusetCpus),
            (!cpu.mems.isEmpty, .cpusetMems), (wish.hasPids, .pidsLimit), (wish.hasBlockioClass, .blockioClass),
            (wish.hasRdtClass, .rdtClass),
        ]
        for (isSet, field) in set where isSet { try owners.claim(field, of: id, by: plugin) }
        for limit in wish.hugepageLimits { try owners.claim(.hugepageLimits, limit.pageSize, of: id, by: plugin) }
        for name in wish.unified.keys { try owners.claim(.cgroupsUnified, name, of: id, by: plugin) }
    }
}

extension NRIHooks {
    fileprivate mutating func append(_ other: NRIHooks) {
        prestart += other.prestart
        createRuntime += other.createRuntime
        createContainer += other.createContainer
        startContainer += other.startContainer
        poststart += other.poststart
        poststop += other.poststop
    }
}

extension NRILinuxResources {
    /// Takes over what `other` sets.
    mutating func take(_ other: NRILinuxResources) {
        let merged = NRILinuxResources(spec.merged(with: other.spec))
        let devices = devices
        let classes = (
            other.hasBlockioClass ? other.blockioClass : hasBlockioClass ? blockioClass : nil,
            other.hasRdtClass ? other.rdtClass : hasRdtClass ? rdtClass : nil
        )
        self = merged
        self.devices = devices
        if let blockio = classes.0 { blockioClass = blockio }
        if let rdt = classes.1 { rdtClass = rdt }
    }
}
