import CRI
import OCISpec

/// A container's limits in the runtime spec's words.
enum Resources {
    /// Translates what the kubelet asked for; zero and empty mean "not asked".
    static func plan(_ asked: CRILinuxContainerResources, facts: HostFacts) throws(CRIError) -> LinuxResources {
        var resources = LinuxResources()
        var cpu = LinuxCPU()
        if asked.cpuShares != 0 { cpu.shares = try positive(asked.cpuShares, "cpu_shares") }
        if asked.cpuPeriod != 0 { cpu.period = try positive(asked.cpuPeriod, "cpu_period") }
        if asked.cpuQuota != 0 { cpu.quota = asked.cpuQuota < 0 ? -1 : asked.cpuQuota }
        if !asked.cpusetCpus.isEmpty { cpu.cpus = try list(asked.cpusetCpus, "cpuset_cpus") }
        if !asked.cpusetMems.isEmpty { cpu.mems = try list(asked.cpusetMems, "cpuset_mems") }
        if cpu != LinuxCPU() { resources.cpu = cpu }
        var memory = LinuxMemory()
        if asked.memoryLimitInBytes != 0 { memory.limit = asked.memoryLimitInBytes }
        if facts.swapAccounting {
            // Memory and swap together: who limits memory and says nothing of swap wants none beyond it.
            let both = asked.memorySwapLimitInBytes != 0 ? asked.memorySwapLimitInBytes : asked.memoryLimitInBytes
            if both != 0 { memory.swap = both }
        }
        if memory != LinuxMemory() { resources.memory = memory }
        if facts.hugetlb {
            resources.hugepageLimits = asked.hugepageLimits.map {
                LinuxHugepageLimit(pageSize: $0.pageSize, limit: $0.limit)
            }
        }
        if facts.cgroupsV2 {
            for (name, value) in asked.unified {
                // The name becomes a file's name, the value its content.
                let good =
                    name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 46 || $0 == 95 }
                    && name.contains(".") && !name.hasPrefix("cgroup.") && !name.hasPrefix(".")
                guard good, !value.utf8.contains(0) else {
                    throw CRIError(.invalidArgument, "unified resource \"\(name)\": not a controller's file")
                }
                resources.unified[name] = value
            }
        }
        return resources
    }

    /// `update` over `old`, as UpdateContainerResources means it: what isn't asked stays.
    static func merge(
        _ old: CRILinuxContainerResources, _ update: CRILinuxContainerResources
    ) -> CRILinuxContainerResources {
        var merged = old
        if update.cpuPeriod != 0 { merged.cpuPeriod = update.cpuPeriod }
        if update.cpuQuota != 0 { merged.cpuQuota = update.cpuQuota }
        if update.cpuShares != 0 { merged.cpuShares = update.cpuShares }
        if update.memoryLimitInBytes != 0 { merged.memoryLimitInBytes = update.memoryLimitInBytes }
        if update.memorySwapLimitInBytes != 0 { merged.memorySwapLimitInBytes = update.memorySwapLimitInBytes }
        if update.oomScoreAdj != 0 { merged.oomScoreAdj = update.oomScoreAdj }
        if !update.cpusetCpus.isEmpty { merged.cpusetCpus = update.cpusetCpus }
        if !update.cpusetMems.isEmpty { merged.cpusetMems = update.cpusetMems }
        if !update.hugepageLimits.isEmpty { merged.hugepageLimits = update.hugepageLimits }
        merged.unified.merge(update.unified) { $1 }
        return merged
    }

    private static func positive(_ value: Int64, _ name: String) throws(CRIError) -> UInt64 {
        guard let value = UInt64(exactly: value) else {
            throw CRIError(.invalidArgument, "\(name) \(value): negative")
        }
        return value
    }

    private static func list(_ text: String, _ name: String) throws(CRIError) -> String {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 44 || $0 == 45 }) else {
            throw CRIError(.invalidArgument, "\(name) \"\(text)\": not a list like 0-3,5")
        }
        return text
    }
}
