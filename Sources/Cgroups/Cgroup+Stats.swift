extension Cgroup {
    /// Reads the counters; parts that the host doesn't count, and all of a cgroup that isn't there, are nil.
    public func stats() -> CgroupStats {
        CgroupStats(cpu: cpuStats(), memory: memoryStats(), pids: pidsStats(), outOfMemoryKills: outOfMemoryKills())
    }

    /// Nanoseconds of processor time since the cgroup was made.
    public func cpuUsageNanoseconds() -> UInt64? {
        if host.hierarchy(of: "cpuacct") != nil { return number("cpuacct", "cpuacct.usage") }
        return table(nil, "cpu.stat")?["usage_usec"].map { $0 &* 1000 }
    }

    private func cpuStats() -> CgroupStats.CPU? {
        if host.hierarchy(of: "cpuacct") != nil {
            guard let usage = number("cpuacct", "cpuacct.usage") else { return nil }
            let bandwidth = table("cpu", "cpu.stat")
            return CgroupStats.CPU(
                usageNanoseconds: usage, userNanoseconds: number("cpuacct", "cpuacct.usage_user"),
                systemNanoseconds: number("cpuacct", "cpuacct.usage_sys"), periods: bandwidth?["nr_periods"],
                throttledPeriods: bandwidth?["nr_throttled"], throttledNanoseconds: bandwidth?["throttled_time"])
        }
        // v2 counts time in cpu.stat whether or not the controller is handed down.
        guard let stat = table(nil, "cpu.stat"), let usage = stat["usage_usec"] else { return nil }
        return CgroupStats.CPU(
            usageNanoseconds: usage &* 1000, userNanoseconds: stat["user_usec"].map { $0 &* 1000 },
            systemNanoseconds: stat["system_usec"].map { $0 &* 1000 }, periods: stat["nr_periods"],
            throttledPeriods: stat["nr_throttled"], throttledNanoseconds: stat["throttled_usec"].map { $0 &* 1000 })
    }

    private func memoryStats() -> CgroupStats.Memory? {
        guard let usage = memoryUsageBytes else { return nil }
        if host.hierarchy(of: "memory") != nil {
            let stat = table("memory", "memory.stat") ?? [:]
            // The kernel's "unlimited" is the greatest number of whole pages, of up to 64 KiB.
            func bounded(_ file: String) -> UInt64? {
                number("memory", file).flatMap { $0 >= UInt64(Int64.max) & ~0xFFFF ? nil : $0 }
            }
            let limit = bounded("memory.limit_in_bytes")
            // v1 limits memory and swap together.
            let both = bounded("memory.memsw.limit_in_bytes")
            return CgroupStats.Memory(
                usageBytes: usage, workingSetBytes: usage - min(usage, stat["total_inactive_file"] ?? 0),
                residentBytes: stat["total_rss"], cacheBytes: stat["total_cache"], swapBytes: stat["total_swap"],
                swapLimitBytes: both.map { $0 - min($0, limit ?? 0) }, limitBytes: limit,
                pageFaults: stat["total_pgfault"], majorPageFaults: stat["total_pgmajfault"])
        }
        let stat = table(nil, "memory.stat") ?? [:]
        return CgroupStats.Memory(
            usageBytes: usage, workingSetBytes: usage - min(usage, stat["inactive_file"] ?? 0),
            residentBytes: stat["anon"], cacheBytes: stat["file"], swapBytes: number(nil, "memory.swap.current"),
            swapLimitBytes: number(nil, "memory.swap.max"), limitBytes: number(nil, "memory.max"),
            pageFaults: stat["pgfault"], majorPageFaults: stat["pgmajfault"])
    }

    private func pidsStats() -> CgroupStats.Pids? {
        guard let current = number("pids", "pids.current") else { return nil }
        return CgroupStats.Pids(current: current, limit: number("pids", "pids.max"))
    }

    /// How often the kernel has killed for want of memory in the cgroup; nil if it doesn't say (v1 before Linux 4.13).
    public func outOfMemoryKills() -> UInt64? {
        host.hierarchy(of: "memory") == nil
            ? table(nil, "memory.events")?["oom_kill"] : table("memory", "memory.oom_control")?["oom_kill"]
    }
}
