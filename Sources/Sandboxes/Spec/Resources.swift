import CRI
import OCISpec

/// A container's limits in the runtime spec's words.
enum Resources {
    /// Translates what the kubelet asked for; zero and empty mean "not asked".
    ///
    /// - Throws: `.invalidArgument` for what no kernel takes, so that it fails where it is asked and not when the container starts
    static func plan(_ asked: CRILinuxContainerResources, facts: HostFacts) throws(CRIError) -> LinuxResources {
        var resources = LinuxResources()
        var cpu = LinuxCPU()
        if asked.cpuShares != 0 { cpu.shares = try positive(asked.cpuShares, "cpu_shares") }
        if asked.cpuPeriod != 0 { cpu.period = try period(asked.cpuPeriod) }
        if asked.cpuQuota != 0 { cpu.quota = try quota(asked.cpuQuota) }
        if !asked.cpusetCpus.isEmpty { cpu.cpus = try list(asked.cpusetCpus, "cpuset_cpus", below: facts.processors) }
        if !asked.cpusetMems.isEmpty { cpu.mems = try list(asked.cpusetMems, "cpuset_mems", below: facts.memoryNodes) }
        if cpu != LinuxCPU() { resources.cpu = cpu }
        try check(memory: asked.memoryLimitInBytes, withSwap: asked.memorySwapLimitInBytes)
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

    /// In microseconds; a millisecond to a second (Documentation/scheduler/sched-bwc.rst).
    private static func period(_ value: Int64) throws(CRIError) -> UInt64 {
        guard (1000...1_000_000).contains(value) else {
            throw CRIError(.invalidArgument, "cpu_period \(value): not from 1000 to 1000000 µs")
        }
        return UInt64(value)
    }

    /// In microseconds, a millisecond at least; any negative one is none.
    private static func quota(_ value: Int64) throws(CRIError) -> Int64 {
        guard value < 0 || value >= 1000 else {
            throw CRIError(.invalidArgument, "cpu_quota \(value): less than 1000 µs")
        }
        return max(value, -1)
    }

    /// -1 is no limit.
    private static func check(memory: Int64, withSwap both: Int64) throws(CRIError) {
        for (name, value) in [("memory_limit_in_bytes", memory), ("memory_swap_limit_in_bytes", both)] where value < -1
        {
            throw CRIError(.invalidArgument, "\(name) \(value): negative, and not -1 for no limit")
        }
        guard both <= 0 || (memory != -1 && memory <= both) else {
            throw CRIError(
                .invalidArgument,
                "memory_swap_limit_in_bytes \(both): memory and swap together can't have less than memory alone (\(memory))"
            )
        }
    }

    private static func list(_ text: String, _ name: String, below limit: Int) throws(CRIError) -> String {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            let numbers = ends.compactMap { $0.utf8.allSatisfy { (48...57).contains($0) } ? Int($0) : nil }
            guard (1...2).contains(ends.count), numbers.count == ends.count, numbers[0] <= numbers[numbers.count - 1]
            else { throw CRIError(.invalidArgument, "\(name) \"\(printable(text))\": not a list like 0-3,5") }
            guard numbers[numbers.count - 1] < limit else {
                throw CRIError(
                    .invalidArgument, "\(name) \"\(printable(text))\": this node has \(limit), counted from 0")
            }
        }
        return text
    }
}
