import CRI
import Cgroups
import Images

/// The metrics of a container, by cAdvisor's names and with its units, in whole seconds where it has fractions: the CRI
/// carries integers.
enum ContainerMetrics {
    typealias Family = MetricFamily<ContainerSample>

    static let all: [Family] = [
        cpu, memory, hugetlb, disk, filesystem, pressure, process, specification, life,
    ].flatMap { $0 }

    private static func seconds(_ nanoseconds: UInt64) -> UInt64 { nanoseconds / 1_000_000_000 }

    private static let cpu: [Family] = [
        Family(
            .counter, "container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", labels: ["cpu"]
        ) { [Family.Value(value: seconds($0.counters.cpu.usage), labels: ["total"])] },
        .single(.counter, "container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.") {
            seconds($0.counters.cpu.user)
        },
        .single(.counter, "container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.") {
            seconds($0.counters.cpu.system)
        },
        .single(.counter, "container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.") {
            $0.counters.cpu.periods
        },
        .single(.counter, "container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals.") {
            $0.counters.cpu.throttledPeriods
        },
        .single(
            .counter, "container_cpu_cfs_throttled_seconds_total",
            "Total time duration the container has been throttled."
        ) { seconds($0.counters.cpu.throttledTime) },
    ]

    /// `memory.stat` by either version's name.
    private static func stat(_ sample: ContainerSample, _ v1: String, _ v2: String) -> UInt64? {
        sample.counters.memory.raw[v1] ?? sample.counters.memory.raw[v2]
    }

    private static let memory: [Family] = [
        .single(.gauge, "container_memory_usage_bytes", "Current memory usage in bytes, with page cache.") {
            $0.counters.memory.usage.usage
        },
        .single(.gauge, "container_memory_working_set_bytes", "Current working set in bytes.") { sample in
            let usage = sample.counters.memory.usage.usage
            return usage - min(usage, stat(sample, "total_inactive_file", "inactive_file") ?? 0)
        },
        .single(.gauge, "container_memory_rss", "Anonymous memory in bytes.") { stat($0, "total_rss", "anon") },
        .single(.gauge, "container_memory_cache", "Page cache in bytes.") { stat($0, "total_cache", "file") },
        .single(.gauge, "container_memory_mapped_file", "Memory mapped files in bytes.") {
            stat($0, "total_mapped_file", "file_mapped")
        },
        .single(.gauge, "container_memory_swap", "Swap usage in bytes.") { sample in
            let (both, memory) = (sample.counters.memory.swap.usage, sample.counters.memory.usage.usage)
            return sample.counters.memory.raw["total_swap"] ?? (both - min(both, memory))
        },
        .single(.gauge, "container_memory_kernel_usage", "Kernel memory in bytes.") { sample in
            sample.counters.memory.raw["kernel"] ?? sample.counters.memory.kernel.usage
        },
        .single(.gauge, "container_memory_max_usage_bytes", "Maximum memory usage recorded in bytes.") {
            $0.counters.memory.usage.maximum
        },
        .single(.counter, "container_memory_failcnt", "Number of memory usage hits limits.") {
            $0.counters.memory.usage.failures
        },
        Family(
            .counter, "container_memory_failures_total", "Cumulative count of page faults.",
            labels: ["failure_type", "scope"]
        ) { sample in
            [
                ("pgfault", "container", stat(sample, "pgfault", "pgfault")),
                ("pgfault", "hierarchy", stat(sample, "total_pgfault", "pgfault")),
                ("pgmajfault", "container", stat(sample, "pgmajfault", "pgmajfault")),
                ("pgmajfault", "hierarchy", stat(sample, "total_pgmajfault", "pgmajfault")),
            ].compactMap { kind, scope, value in value.map { Family.Value(value: $0, labels: [kind, scope]) } }
        },
        .single(.counter, "container_oom_events_total", "Count of out of memory kills in the container.") {
            $0.outOfMemoryKills
        },
    ]

    private static let hugetlb: [Family] = [
        Family(.gauge, "container_hugetlb_usage_bytes", "Huge pages in use, in bytes.", labels: ["pagesize"]) {
            $0.counters.hugetlb.sorted { $0.key < $1.key }.map {
                Family.Value(value: $0.value.usage, labels: [$0.key])
            }
        },
        Family(
            .gauge, "container_hugetlb_max_usage_bytes", "Maximum of huge pages in use, in bytes.", labels: ["pagesize"]
        ) {
            $0.counters.hugetlb.sorted { $0.key < $1.key }.map {
                Family.Value(value: $0.value.maximum, labels: [$0.key])
            }
        },
    ]

    /// Reads or writes of each device.
    private static func disk(_ file: String, _ operation: String) -> @Sendable (ContainerSample) -> [Family.Value] {
        { sample in
            let entries = sample.counters.io.first { $0.name == file }?.entries ?? []
            return entries.filter { $0.operation == operation }.map {
                Family.Value(value: $0.value, labels: ["\($0.major):\($0.minor)"])
            }
        }
    }

    private static let disk: [Family] = [
        Family(
            .counter, "container_blkio_device_usage_total", "Bytes that were read from and written to each device.",
            labels: ["device", "major", "minor", "operation"]
        ) { sample in
            let entries = sample.counters.io.first { $0.name == "ioServiceBytesRecursive" }?.entries ?? []
            return entries.map { entry in
                let (major, minor) = (String(entry.major), String(entry.minor))
                // The device's name isn't known to the cgroup.
                return Family.Value(
                    value: entry.value, labels: ["\(major):\(minor)", major, minor, entry.operation])
            }
        },
        Family(
            .counter, "container_fs_reads_bytes_total", "Cumulative count of bytes read.", labels: ["device"],
            values: disk("ioServiceBytesRecursive", "Read")),
        Family(
            .counter, "container_fs_writes_bytes_total", "Cumulative count of bytes written.", labels: ["device"],
            values: disk("ioServiceBytesRecursive", "Write")),
        Family(
            .counter, "container_fs_reads_total", "Cumulative count of reads completed.", labels: ["device"],
            values: disk("ioServicedRecursive", "Read")),
        Family(
            .counter, "container_fs_writes_total", "Cumulative count of writes completed.", labels: ["device"],
            values: disk("ioServicedRecursive", "Write")),
    ]

    private static let filesystem: [Family] = [
        .single(.gauge, "container_fs_usage_bytes", "Bytes of the container's writable layer.") {
            $0.written?.usage.bytes
        },
        .single(.gauge, "container_fs_limit_bytes", "Bytes of the filesystem that the writable layer lies on.") {
            $0.filesystemBytes
        },
        .single(.gauge, "container_fs_inodes_total", "Inodes of the filesystem that the writable layer lies on.") {
            $0.filesystemInodes
        },
        .single(.gauge, "container_fs_inodes_free", "Free inodes of that filesystem.") { $0.filesystemFreeInodes },
    ]

    private static func waited(_ line: CgroupCounters.Pressure.Line?) -> UInt64? { line.map { $0.total / 1_000_000 } }

    private static let pressure: [Family] = [
        .single(
            .counter, "container_pressure_cpu_waiting_seconds_total",
            "Total time duration tasks in the container have waited due to CPU congestion."
        ) { waited($0.pressures.cpu?.some) },
        .single(
            .counter, "container_pressure_cpu_stalled_seconds_total",
            "Total time duration no tasks in the container could make progress due to CPU congestion."
        ) { waited($0.pressures.cpu?.full) },
        .single(
            .counter, "container_pressure_memory_waiting_seconds_total",
            "Total time duration tasks in the container have waited due to memory congestion."
        ) { waited($0.pressures.memory?.some) },
        .single(
            .counter, "container_pressure_memory_stalled_seconds_total",
            "Total time duration no tasks in the container could make progress due to memory congestion."
        ) { waited($0.pressures.memory?.full) },
        .single(
            .counter, "container_pressure_io_waiting_seconds_total",
            "Total time duration tasks in the container have waited due to IO congestion."
        ) { waited($0.pressures.io?.some) },
        .single(
            .counter, "container_pressure_io_stalled_seconds_total",
            "Total time duration no tasks in the container could make progress due to IO congestion."
        ) { waited($0.pressures.io?.full) },
    ]

    private static let process: [Family] = [
        .single(.gauge, "container_processes", "Number of processes running inside the container.") {
            $0.processes.processes
        },
        .single(.gauge, "container_threads", "Number of threads running inside the container.") {
            $0.counters.pids.current
        },
        .single(.gauge, "container_threads_max", "Maximum number of threads, 0 is without limit.") {
            $0.counters.pids.limit
        },
        .single(.gauge, "container_file_descriptors", "Number of open file descriptors of the container.") {
            $0.processes.descriptors
        },
        .single(.gauge, "container_sockets", "Number of open sockets of the container.") { $0.processes.sockets },
        Family(
            .gauge, "container_ulimits_soft", "Soft limits of the container's first process.", labels: ["ulimit"]
        ) { sample in
            sample.processes.softDescriptorLimit.map { [Family.Value(value: $0, labels: ["max_open_files"])] } ?? []
        },
    ]

    private static func asked(_ value: Int64) -> UInt64? { value > 0 ? UInt64(value) : nil }

    private static let specification: [Family] = [
        .single(.gauge, "container_spec_cpu_period", "CPU period of the container.") { asked($0.resources.cpuPeriod) },
        .single(.gauge, "container_spec_cpu_quota", "CPU quota of the container.") { asked($0.resources.cpuQuota) },
        .single(.gauge, "container_spec_cpu_shares", "CPU share of the container.") { asked($0.resources.cpuShares) },
        .single(.gauge, "container_spec_memory_limit_bytes", "Memory limit of the container.") {
            asked($0.resources.memoryLimitInBytes)
        },
        .single(.gauge, "container_spec_memory_swap_limit_bytes", "Limit of memory and swap together.") {
            asked($0.resources.memorySwapLimitInBytes)
        },
        .single(.gauge, "container_spec_memory_reservation_limit_bytes", "Memory reservation of the container.") { _ in
            0
        },
    ]

    private static let life: [Family] = [
        .single(.gauge, "container_start_time_seconds", "Start time of the container since the epoch.") {
            asked($0.startedAtNanoseconds).map(seconds)
        },
        .single(.gauge, "container_last_seen", "When the container was looked at, since the epoch.") {
            asked($0.now).map(seconds)
        },
    ]
}

/// The metrics of a pod: its network, which its containers share.
enum PodMetrics {
    typealias Family = MetricFamily<PodSample>

    static let all: [Family] = way("receive", "received", \.received) + way("transmit", "transmitted", \.sent)

    private static func way(
        _ verb: String, _ done: String, _ path: any KeyPath<InterfaceCounters, InterfaceCounters.Way> & Sendable
    ) -> [Family] {
        func family(
            _ what: String, _ help: String, _ count: any KeyPath<InterfaceCounters.Way, UInt64> & Sendable
        ) -> Family {
            Family(.counter, "container_network_\(verb)_\(what)_total", help, labels: ["interface"]) { sample in
                sample.interfaces.map {
                    Family.Value(value: $0[keyPath: path][keyPath: count], labels: [$0.name])
                }
            }
        }
        return [
            family("bytes", "Cumulative count of bytes \(done).", \.bytes),
            family("packets", "Cumulative count of packets \(done).", \.packets),
            family("packets_dropped", "Cumulative count of packets dropped while they were \(done).", \.dropped),
            family("errors", "Cumulative count of errors while packets were \(done).", \.errors),
        ]
    }
}
