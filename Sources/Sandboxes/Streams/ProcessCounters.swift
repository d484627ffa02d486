import Linux

/// What the processes of a cgroup hold open, counted in /proc.
struct ProcessCounters: Sendable, Equatable {
    var processes: UInt64 = 0
    var descriptors: UInt64 = 0
    var sockets: UInt64 = 0
    /// RLIMIT_NOFILE of the first process; nil when it has ended.
    var softDescriptorLimit: UInt64?

    /// More than these are counted as processes, and not looked into.
    private static let mostProcesses = 1024
    /// A descriptor costs a readlink: of one process no more than these are looked at for sockets.
    private static let mostDescriptors = 4096

    /// Counts; a process that ends meanwhile counts for what was seen of it. Blocking.
    static func read(_ members: [Int32], first: Int32) -> ProcessCounters {
        var counters = ProcessCounters(processes: UInt64(members.count))
        for pid in members.prefix(mostProcesses) {
            let folder = "/proc/\(pid)/fd"
            guard let names = try? Directory.names(folder) else { continue }
            counters.descriptors += UInt64(names.count)
            for name in names.prefix(mostDescriptors) {
                guard let target = try? File.readLink("\(folder)/\(name)") else { continue }
                if target.hasPrefix("socket:") { counters.sockets += 1 }
            }
        }
        if first > 0, let text = try? File.readText("/proc/\(first)/limits", limit: 64 << 10) {
            counters.softDescriptorLimit = softLimit("Max open files", in: text)
        }
        return counters
    }

    /// A line of proc_pid_limits(5): name, soft limit, hard limit, unit.
    static func softLimit(_ name: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split(separator: " ").first.flatMap { UInt64($0) }
        }
        return nil
    }
}
