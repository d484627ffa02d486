import FoundationEssentials
import Glibc

/// Something of a node is still there after its end.
public struct HouseNotEmpty: Error, CustomStringConvertible {
    public let left: [String]
    public var description: String { "left behind:\n" + left.map { "  " + $0 }.joined(separator: "\n") }
}

extension TestNode {
    /// Throws a list of all that a node has left: processes, mounts, cgroups, links, namespaces, directories.
    public func assertEmptyHouse() throws {
        let tag = NodeTag.of(root)
        var left = ProcessTable.mentioning(root).map { "process \($0)" }
        left += MountTable.below(root).filter { $0 != root }.map { "mount \($0)" }
        left += Self.cgroups(named: "kubesim-\(tag)").map { "cgroup \($0)" }
        if FileManager.default.fileExists(atPath: "/sys/class/net/ks\(tag)") { left.append("link ks\(tag)") }
        for place in ["run", "containers", "sandboxes", "snapshots", "layers", "content", "pods", "log/pods"] {
            left += Self.entries(root + "/" + place).map { "file \(root)/\(place)/\($0)" }
        }
        for file in ["state.db", "state.db-wal", "corrupt"]
        where FileManager.default.fileExists(atPath: root + "/" + file) {
            left.append("file \(root)/\(file)")
        }
        if !left.isEmpty { throw HouseNotEmpty(left: left) }
    }

    static func entries(_ directory: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    }

    static func cgroups(named name: String) -> [String] {
        let top = "/sys/fs/cgroup"
        return ([top] + entries(top).map { top + "/" + $0 }).map { $0 + "/" + name }
            .filter { FileManager.default.fileExists(atPath: $0) }
    }
}

/// The tag that a node makes from its root's path for the names that the kernel shares among nodes: FNV-1a, folded.
enum NodeTag {
    static func of(_ path: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(UInt32(truncatingIfNeeded: hash ^ (hash >> 32)), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// The machine's processes, as /proc shows them.
public enum ProcessTable {
    /// "PID command line" of each process whose command line has `text` in it; this one left out.
    public static func mentioning(_ text: String) -> [String] {
        TestNode.entries("/proc").compactMap(pid_t.init).filter { $0 != getpid() }.compactMap { pid in
            let line = commandLine(pid)
            return line.contains(text) ? "\(pid) \(line)" : nil
        }
    }

    /// As ``mentioning(_:)``, without the children that one of these has forked and that have not yet become what they will be.
    public static func originals(mentioning text: String) -> [String] {
        let found = mentioning(text)
        let pids = Set(found.compactMap(pid))
        return found.filter { line in pid(line).flatMap(parent).map { !pids.contains($0) } ?? true }
    }

    private static func pid(_ line: String) -> pid_t? { line.split(separator: " ").first.flatMap { pid_t($0) } }

    /// The fourth field of proc_pid_stat(5), after a name that may hold anything but the last parenthesis.
    private static func parent(_ pid: pid_t) -> pid_t? {
        let stat = ProcFile.text("/proc/\(pid)/stat")
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }

    /// The arguments joined by spaces; empty for a process that has ended.
    public static func commandLine(_ pid: pid_t) -> String {
        ProcFile.text("/proc/\(pid)/cmdline").split(separator: "\0", omittingEmptySubsequences: false)
            .joined(separator: " ")
    }
}
