import FoundationEssentials

/// The mounts that this process sees (proc_pid_mountinfo(5)).
public enum MountTable {
    /// Mount points at or below `path`, deepest first.
    public static func below(_ path: String) -> [String] {
        all().filter { $0 == path || $0.hasPrefix(path + "/") }.reversed()
    }

    /// Every mount point, in the kernel's order.
    public static func all() -> [String] {
        guard let data = FileManager.default.contents(atPath: "/proc/self/mountinfo") else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count > 4 else { return nil }
            return fields[4].split(separator: "\\040", omittingEmptySubsequences: false).joined(separator: " ")
        }
    }
}
