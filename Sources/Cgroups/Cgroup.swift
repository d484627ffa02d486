import Glibc
import Linux

/// A cgroup by one path in every mounted hierarchy.
///
/// A value that names; nothing is opened or made until a verb is called. Every verb works on v1, hybrid and v2.
public struct Cgroup: Sendable, Hashable {
    public let host: CgroupHost
    /// Below the mounts: begins with `/`, has no `.` or `..`, isn't the root.
    public let path: String

    /// - Parameter path: absolute, or relative to this process's own cgroup in each hierarchy.
    /// - Throws: `CgroupError` for a path that is empty, the root, or leads out of the hierarchy.
    public init(path: String, host: CgroupHost) throws(CgroupError) {
        let parts = path.split(separator: "/")
        guard !parts.isEmpty, !path.utf8.contains(0), !parts.contains("."), !parts.contains("..") else {
            throw CgroupError(
                "read linux.cgroupsPath",
                hint: "'\(path)' must name a cgroup below the root, without '.' and '..'")
        }
        self.host = host
        self.path = "/" + parts.joined(separator: "/")
        own = path.hasPrefix("/") ? [:] : try Cgroup.ownCgroups()
    }

    /// This process's cgroup by controller, empty name for v2, if the path is relative to it.
    private let own: [String: String]

    /// The directory of the cgroup in a v1 hierarchy or, with nil, the v2 one; nil if there is no such hierarchy.
    public func directory(_ controller: String?) -> String? {
        if let controller { return host.hierarchy(of: controller).map { directory(in: $0, key: controller) } }
        return host.unified.map { directory(in: $0, key: "") }
    }

    /// The v2 directory.
    var unifiedDirectory: String? { directory(nil) }

    /// Every directory with the first controller of its hierarchy, empty for v2: what a state record keeps.
    public var directories: [(controller: String, path: String)] {
        var all = host.v1.map { ($0.controllers[0], directory(in: $0, key: $0.controllers[0])) }
        if let unified = unifiedDirectory { all.append(("", unified)) }
        return all
    }

    private func directory(in hierarchy: CgroupHost.Hierarchy, key: String) -> String {
        guard !own.isEmpty, var parent = own[key] else { return hierarchy.mountPoint + path }
        // A mount inside a container shows only a part of the hierarchy.
        if hierarchy.root != "/", parent.hasPrefix(hierarchy.root) { parent.removeFirst(hierarchy.root.count) }
        return hierarchy.mountPoint + (parent == "/" ? "" : parent) + path
    }

    /// The directory that tells who is in the cgroup: v2's if there is one, since it has `cgroup.kill` and events.
    var mainDirectory: String {
        unifiedDirectory ?? directory("freezer") ?? directory("pids") ?? directories[0].path
    }

    /// Whether it exists.
    public var exists: Bool { File.exists(mainDirectory) }

    /// Reads `/proc/self/cgroup`: lines like `4:cpu,cpuacct:/user.slice` and `0::/user.slice`.
    private static func ownCgroups() throws(CgroupError) -> [String: String] {
        do throws(SystemError) {
            return parse(try File.readText("/proc/self/cgroup"))
        } catch {
            throw CgroupError("find the own cgroup", error)
        }
    }

    static func parse(_ text: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                found[String(controller)] = String(fields[2])
            }
        }
        return found
    }
}
