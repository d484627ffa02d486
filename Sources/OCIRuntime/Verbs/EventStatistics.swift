import Cgroups
import JSON

/// Counters in the shape of `runc events`: what is zero is left out where runc leaves it out.
enum EventStatistics {
    static func write(_ counters: CgroupCounters, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("cpu")
            writeCPU(counters.cpu, to: &writer)
            writer.key("cpuset")
            writeCpuset(counters.cpuset, to: &writer)
            writer.key("memory")
            writeMemory(counters.memory, to: &writer)
            writer.key("pids")
            writer.object { writer in
                some("current", counters.pids.current, &writer)
                some("limit", counters.pids.limit, &writer)
            }
            writer.key("blkio")
            writer.object { writer in
                for (name, entries) in counters.io where !entries.isEmpty {
                    writer.key(name)
                    writer.array { writer in for entry in entries { write(entry, to: &writer) } }
                }
                write(counters.ioPressure, to: &writer)
            }
            writer.key("hugetlb")
            writer.object { writer in
                for (size, use) in counters.hugetlb.sorted(by: { $0.key < $1.key }) {
                    writer.key(size)
                    writer.object { writer in
                        some("usage", use.usage, &writer)
                        some("max", use.maximum, &writer)
                        writer.required("failcnt", use.failures)
                    }
                }
            }
            writer.key("intel_rdt")
            writer.object { _ in }
            writer.key("network_interfaces")
            writer.null()
        }
    }

    private static func some(_ name: String, _ value: UInt64, _ writer: inout JSONWriter) {
        if value != 0 { writer.required(name, value) }
    }

    private static func writeCPU(_ cpu: CgroupCounters.CPU, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("usage")
            writer.object { writer in
                some("total", cpu.usage, &writer)
                for (name, values) in [
                    ("percpu", cpu.perCPU), ("percpu_kernel", cpu.perCPUSystem), ("percpu_user", cpu.perCPUUser),
                ]
                where !values.isEmpty {
                    writer.required(name, values)
                }
                writer.required("kernel", cpu.system)
                writer.required("user", cpu.user)
            }
            if cpu.periods != 0 || cpu.throttledPeriods != 0 || cpu.throttledTime != 0 {
                writer.key("throttling")
                writer.object { writer in
                    some("periods", cpu.periods, &writer)
                    some("throttledPeriods", cpu.throttledPeriods, &writer)
                    some("throttledTime", cpu.throttledTime, &writer)
                }
            }
            write(cpu.pressure, to: &writer)
        }
    }

    private static func writeCpuset(_ cpuset: CgroupCounters.Cpuset, to writer: inout JSONWriter) {
        writer.object { writer in
            if !cpuset.cpus.isEmpty { writer.required("cpus", cpuset.cpus) }
            writer.required("cpu_exclusive", cpuset.flags["cpu_exclusive"] ?? 0)
            if !cpuset.mems.isEmpty { writer.required("mems", cpuset.mems) }
            for name in [
                "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
                "memory_pressure", "sched_load_balance",
            ] {
                writer.required(name, cpuset.flags[name] ?? 0)
            }
            writer.required("sched_relax_domain_level", cpuset.relaxDomainLevel)
        }
    }

    private static func writeMemory(_ memory: CgroupCounters.Memory, to writer: inout JSONWriter) {
        writer.object { writer in
            some("cache", memory.cache, &writer)
            for (name, use) in [
                ("usage", memory.usage), ("swap", memory.swap), ("kernel", memory.kernel),
                ("kernelTCP", memory.kernelTCP),
            ] where use != CgroupCounters.Use() {
                writer.key(name)
                writer.object { writer in
                    writer.required("limit", use.limit)
                    some("usage", use.usage, &writer)
                    some("max", use.maximum, &writer)
                    writer.required("failcnt", use.failures)
                }
            }
            if !memory.raw.isEmpty {
                writer.key("raw")
                writer.object { writer in
                    for (name, value) in memory.raw.sorted(by: { $0.key < $1.key }) { writer.required(name, value) }
                }
            }
            write(memory.pressure, to: &writer)
        }
    }

    private static func write(_ entry: CgroupCounters.IOEntry, to writer: inout JSONWriter) {
        writer.object { writer in
            some("major", entry.major, &writer)
            some("minor", entry.minor, &writer)
            if !entry.operation.isEmpty { writer.required("op", entry.operation) }
            some("value", entry.value, &writer)
        }
    }

    private static func write(_ pressure: CgroupCounters.Pressure?, to writer: inout JSONWriter) {
        guard let pressure else { return }
        writer.key("psi")
        writer.object { writer in
            for (name, line) in [("some", pressure.some), ("full", pressure.full)] {
                guard let line else { continue }
                writer.key(name)
                writer.object { writer in
                    for (key, value) in [("avg10", line.avg10), ("avg60", line.avg60), ("avg300", line.avg300)] {
                        writer.key(key)
                        writer.value(value)
                    }
                    writer.required("total", line.total)
                }
            }
        }
    }
}
