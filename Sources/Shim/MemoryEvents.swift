import Glibc
import Linux

/// Whether the kernel killed for lack of memory in a container's cgroup: the counter `oom_kill` of cgroup v1's
/// `memory.oom_control` (Linux 4.13) or v2's `memory.events`.
struct MemoryEvents {
    private let path: String

    /// Finds the counter of the cgroup that a living process is in; nil when the memory controller is out of reach.
    init?(pid: pid_t) {
        // A container whose cgroup can't be found is one whose out-of-memory kills are not told; nothing else depends on it.
        guard let text = try? File.readText("/proc/\(pid)/cgroup", limit: 64 << 10) else { return nil }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let counter: String
            if fields[1].split(separator: ",").contains("memory") {
                counter = Self.v1 + fields[2] + "/memory.oom_control"
            } else if fields[0] == "0" {
                counter = Self.v2 + fields[2] + "/memory.events"
            } else {
                continue
            }
            if File.exists(counter) {
                path = counter
                return
            }
        }
        return nil
    }

    init(counter path: String) {
        self.path = path
    }

    /// How many processes the kernel has killed there.
    var kills: UInt64 {
        guard let text = try? File.readText(path, limit: 64 << 10) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return UInt64(line.dropFirst("oom_kill ".count)) ?? 0
        }
        return 0
    }

    private static let v1 = mountPoint("/sys/fs/cgroup/memory", magic: FilesystemStatistics.cgroupMagic) {
        $0.type == "cgroup" && $0.superOptions.split(separator: ",").contains("memory")
    }
    private static let v2 = mountPoint("/sys/fs/cgroup", magic: FilesystemStatistics.cgroup2Magic) {
        $0.type == "cgroup2"
    }

    /// The usual place, or else what the mount table says.
    private static func mountPoint(_ usual: String, magic: Int64, _ fits: (MountInfo) -> Bool) -> String {
        if let filesystem = try? FilesystemStatistics(usual), filesystem.type == magic { return usual }
        return (try? MountInfo.all())?.first(where: fits)?.mountPoint ?? usual
    }
}
