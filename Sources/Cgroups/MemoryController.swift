import OCISpec

/// `memory`: limits of memory and swap.
enum MemoryController {
    static func fields(_ memory: LinuxMemory) -> String? {
        if memory.limit ?? 0 != 0 { return "linux.resources.memory.limit" }
        if memory.swap ?? 0 != 0 { return "linux.resources.memory.swap" }
        if memory.reservation ?? 0 != 0 { return "linux.resources.memory.reservation" }
        if memory.swappiness != nil { return "linux.resources.memory.swappiness" }
        if memory.disableOOMKiller == true { return "linux.resources.memory.disableOOMKiller" }
        return nil
    }

    static func plan(
        _ memory: LinuxMemory, version: CgroupVersion, current: ResourcePlan.Current
    ) throws(CgroupError) -> [CgroupWrite] {
        try refuseLimitBelowUsage(memory, current)
        return version == .v1 ? planV1(memory, current) : try planV2(memory, current)
    }

    private static func write(
        _ file: String, _ value: String, _ field: String, refusal: CgroupWrite.Refusal = .fails
    ) -> CgroupWrite {
        CgroupWrite("memory", file, value, for: "linux.resources.memory." + field, refusal: refusal)
    }

    private static func refuseLimitBelowUsage(_ memory: LinuxMemory, _ current: ResourcePlan.Current)
        throws(CgroupError)
    {
        guard memory.checkBeforeUpdate == true, let usage = current.memoryUsageBytes else { return }
        for (name, limit) in [("limit", memory.limit), ("swap", memory.swap)] {
            if let limit, limit > 0, limit <= usage {
                // runc's words, which engines look for.
                let what = name == "limit" ? "memory limit" : "memory+swap limit"
                throw CgroupError(
                    "plan linux.resources.memory.\(name)", hint: "rejecting \(what) \(limit) <= usage \(usage)")
            }
        }
    }

    /// The kernel keeps limit ≤ limit with swap at every moment, so whichever grows goes first.
    private static func planV1(_ memory: LinuxMemory, _ current: ResourcePlan.Current) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        let limit = memory.limit.flatMap { $0 == 0 ? nil : write("memory.limit_in_bytes", String($0), "limit") }
        var swap = memory.swap.flatMap { $0 == 0 ? nil : write("memory.memsw.limit_in_bytes", String($0), "swap") }
        if swap == nil, memory.limit == -1 {
            // No limit of memory means none of memory and swap either, where swap is accounted at all.
            swap = write("memory.memsw.limit_in_bytes", "-1", "limit", refusal: .passedOver)
        }
        let before = current.memoryAndSwapBytes ?? .max
        let after = memory.swap ?? memory.limit ?? 0
        let swapGrows = after < 0 || after > before
        writes += (swapGrows ? [swap, limit] : [limit, swap]).compactMap { $0 }
        if let reservation = memory.reservation, reservation != 0 {
            writes.append(write("memory.soft_limit_in_bytes", String(reservation), "reservation"))
        }
        if let kernelTCP = memory.kernelTCP, kernelTCP != 0 {
            writes.append(write("memory.kmem.tcp.limit_in_bytes", String(kernelTCP), "kernelTCP", refusal: .passedOver))
        }
        if let swappiness = memory.swappiness {
            writes.append(write("memory.swappiness", String(swappiness), "swappiness"))
        }
        if memory.disableOOMKiller == true { writes.append(write("memory.oom_control", "1", "disableOOMKiller")) }
        return writes
    }

    private static func planV2(
        _ memory: LinuxMemory, _ current: ResourcePlan.Current
    ) throws(CgroupError) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        if let swap = try swapMax(memory, current) {
            // A kernel without swap has no such file, and then there is nothing to limit.
            writes.append(
                write("memory.swap.max", swap, "swap", refusal: swap == "max" || swap == "0" ? .passedOver : .fails))
        }
        if let limit = memory.limit, limit != 0 { writes.append(write("memory.max", amount(limit), "limit")) }
        if let reservation = memory.reservation, reservation != 0 {
            writes.append(write("memory.low", amount(reservation), "reservation"))
        }
        return writes
    }

    private static func amount(_ bytes: Int64) -> String { bytes < 0 ? "max" : String(bytes) }

    /// v2 limits swap alone, the specification memory and swap together.
    private static func swapMax(
        _ memory: LinuxMemory, _ current: ResourcePlan.Current
    ) throws(CgroupError) -> String? {
        guard let swap = memory.swap, swap != 0 else { return memory.limit == -1 ? "max" : nil }
        if swap < 0 { return "max" }
        let named = memory.limit.flatMap { $0 == 0 ? nil : $0 }
        guard let limit = named ?? current.memoryLimitBytes, limit > 0 else {
            throw CgroupError(
                "plan linux.resources.memory.swap",
                hint: "it counts memory and swap together, so memory.limit must be given")
        }
        guard swap >= limit else {
            throw CgroupError(
                "plan linux.resources.memory.swap",
                hint: "\(swap) bytes of memory and swap together are fewer than the \(limit) of memory alone")
        }
        return String(swap - limit)
    }
}
