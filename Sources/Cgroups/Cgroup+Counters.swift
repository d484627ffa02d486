import Glibc
import Linux

extension Cgroup {
    /// Reads every counter; what the host doesn't count stays 0.
    public func counters() -> CgroupCounters {
        var counters = CgroupCounters()
        counters.cpu = cpuCounters()
        counters.cpuset = cpusetCounters()
        counters.memory = memoryCounters()
        counters.pids.current = number("pids", "pids.current") ?? 0
        counters.pids.limit = number("pids", "pids.max") ?? 0
        counters.io = host.hierarchy(of: "blkio") != nil ? ioCountersV1() : ioCountersV2()
        counters.ioPressure = pressure("io.pressure")
        counters.hugetlb = hugetlbCounters()
        return counters
    }

    private func cpuCounters() -> CgroupCounters.CPU {
        var cpu = CgroupCounters.CPU()
        cpu.pressure = pressure("cpu.pressure")
        if host.hierarchy(of: "cpuacct") == nil {
            let stat = table(nil, "cpu.stat") ?? [:]
            cpu.usage = (stat["usage_usec"] ?? 0) &* 1000
            cpu.user = (stat["user_usec"] ?? 0) &* 1000
            cpu.system = (stat["system_usec"] ?? 0) &* 1000
            cpu.periods = stat["nr_periods"] ?? 0
            cpu.throttledPeriods = stat["nr_throttled"] ?? 0
            cpu.throttledTime = (stat["throttled_usec"] ?? 0) &* 1000
            return cpu
        }
        cpu.usage = number("cpuacct", "cpuacct.usage") ?? 0
        cpu.user = number("cpuacct", "cpuacct.usage_user") ?? 0
        cpu.system = number("cpuacct", "cpuacct.usage_sys") ?? 0
        cpu.perCPU = CgroupHost.words(text("cpuacct", "cpuacct.usage_percpu") ?? "").compactMap { UInt64($0) }
        for line in (text("cpuacct", "cpuacct.usage_all") ?? "").split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count == 3, let user = UInt64(fields[1]), let system = UInt64(fields[2]) else { continue }
            cpu.perCPUUser.append(user)
            cpu.perCPUSystem.append(system)
        }
        let stat = table("cpu", "cpu.stat") ?? [:]
        cpu.periods = stat["nr_periods"] ?? 0
        cpu.throttledPeriods = stat["nr_throttled"] ?? 0
        cpu.throttledTime = stat["throttled_time"] ?? 0
        return cpu
    }

    private func cpusetCounters() -> CgroupCounters.Cpuset {
        var cpuset = CgroupCounters.Cpuset()
        let version1 = host.hierarchy(of: "cpuset") != nil
        cpuset.cpus = NumberList.parse(text("cpuset", version1 ? "cpuset.cpus" : "cpuset.cpus.effective") ?? "")
        cpuset.mems = NumberList.parse(text("cpuset", version1 ? "cpuset.mems" : "cpuset.mems.effective") ?? "")
        guard version1 else { return cpuset }
        for name in [
            "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
            "memory_spread_slab", "memory_pressure", "sched_load_balance",
        ] {
            cpuset.flags[name] = number("cpuset", "cpuset." + name) ?? 0
        }
        let level = text("cpuset", "cpuset.sched_relax_domain_level") ?? ""
        cpuset.relaxDomainLevel = Int64(level.prefix { $0 != "\n" }) ?? 0
        return cpuset
    }

    private func memoryCounters() -> CgroupCounters.Memory {
        var memory = CgroupCounters.Memory()
        memory.pressure = pressure("memory.pressure")
        if host.hierarchy(of: "memory") != nil {
            memory.raw = table("memory", "memory.stat") ?? [:]
            memory.cache = memory.raw["cache"] ?? 0
            memory.usage = useV1("memory.")
            memory.swap = useV1("memory.memsw.")
            memory.kernel = useV1("memory.kmem.")
            memory.kernelTCP = useV1("memory.kmem.tcp.")
            return memory
        }
        memory.raw = table(nil, "memory.stat") ?? [:]
        memory.cache = memory.raw["file"] ?? 0
        memory.usage = useV2("memory.")
        let swap = useV2("memory.swap.")
        // With v1's meaning: memory and swap together.
        memory.swap = swap
        memory.swap.usage = swap.usage &+ memory.usage.usage
        if swap.limit != .max, memory.usage.limit != .max { memory.swap.limit = swap.limit &+ memory.usage.limit }
        return memory
    }

    private func useV1(_ prefix: String) -> CgroupCounters.Use {
        var use = CgroupCounters.Use()
        use.limit = number("memory", prefix + "limit_in_bytes") ?? 0
        use.usage = number("memory", prefix + "usage_in_bytes") ?? 0
        use.maximum = number("memory", prefix + "max_usage_in_bytes") ?? 0
        use.failures = number("memory", prefix + "failcnt") ?? 0
        return use
    }

    private func useV2(_ prefix: String) -> CgroupCounters.Use {
        var use = CgroupCounters.Use()
        guard let limit = text(nil, prefix + "max") else { return use }
        use.limit = limit.hasPrefix("max") ? .max : number(nil, prefix + "max") ?? 0
        use.usage = number(nil, prefix + "current") ?? 0
        use.maximum = number(nil, prefix + "peak") ?? 0
        return use
    }

    private func hugetlbCounters() -> [String: CgroupCounters.Use] {
        let version1 = host.hierarchy(of: "hugetlb") != nil
        guard let directory = directory("hugetlb") ?? unifiedDirectory, let names = try? Directory.names(directory)
        else { return [:] }
        let suffix = version1 ? ".limit_in_bytes" : ".current"
        var found: [String: CgroupCounters.Use] = [:]
        for name in names where name.hasPrefix("hugetlb.") && name.hasSuffix(suffix) {
            let size = String(name.dropFirst(8).dropLast(suffix.utf8.count))
            if !HugetlbController.isPageSize(size) { continue }
            let prefix = "hugetlb." + size + "."
            var use = CgroupCounters.Use()
            use.usage = number("hugetlb", prefix + (version1 ? "usage_in_bytes" : "current")) ?? 0
            if version1 {
                use.maximum = number("hugetlb", prefix + "max_usage_in_bytes") ?? 0
                use.failures = number("hugetlb", prefix + "failcnt") ?? 0
            } else {
                use.failures = table(nil, prefix + "events")?["max"] ?? 0
            }
            found[size] = use
        }
        return found
    }

    /// v2's pressure files; nil where the kernel counts none.
    private func pressure(_ file: String) -> CgroupCounters.Pressure? {
        guard host.mode == .v2, let text = text(nil, file) else { return nil }
        return CgroupCounters.Pressure(text)
    }
}

extension CgroupCounters.Pressure {
    /// Reads lines like `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`.
    init?(_ text: String) {
        self.init()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            var values = Line()
            for word in words.dropFirst() {
                let parts = word.split(separator: "=")
                guard parts.count == 2 else { return nil }
                switch parts[0] {
                case "avg10": values.avg10 = Double(parts[1]) ?? 0
                case "avg60": values.avg60 = Double(parts[1]) ?? 0
                case "avg300": values.avg300 = Double(parts[1]) ?? 0
                case "total": values.total = UInt64(parts[1]) ?? 0
                default: break
                }
            }
            switch words.first {
            case "some": some = values
            case "full": full = values
            default: return nil
            }
        }
        if some == nil && full == nil { return nil }
    }
}

/// The kernel's lists of numbers: `0-3,7`.
enum NumberList {
    static func parse(_ text: String) -> [UInt16] {
        var found: [UInt16] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == "\n" || $0 == " " }) {
            let ends = part.split(separator: "-").compactMap { UInt16($0) }
            if ends.count == 2, ends[0] <= ends[1] {
                found += Array(ends[0]...ends[1])
            } else if ends.count == 1 {
                found += ends
            }
        }
        return found
    }
}
