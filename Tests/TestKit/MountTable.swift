import Glibc

/// The mounts that this process sees (proc_pid_mountinfo(5)).
public enum MountTable {
    /// Mount points at or below `path`, deepest first.
    public static func below(_ path: String) -> [String] {
        all().filter { $0 == path || $0.hasPrefix(path + "/") }.reversed()
    }

    /// Every mount point, in the kernel's order.
    public static func all() -> [String] {
        ProcFile.text("/proc/self/mountinfo").split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count > 4 else { return nil }
            return fields[4].split(separator: "\\040", omittingEmptySubsequences: false).joined(separator: " ")
        }
    }
}

/// Files of procfs, which have no length: Foundation stops after their first page.
public enum ProcFile {
    /// The whole file; empty when it isn't there.
    public static func text(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}
