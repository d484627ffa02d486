import Glibc
import Linux
import OCISpec

/// A class of service of the processor's cache and memory bandwidth (resctrl, config-linux.md, IntelRdt).
struct RdtPlan: Hashable, Sendable {
    /// The group's folder.
    var path: String
    var schemata: [String]
    /// A group of the container's own goes with it; one that was named is somebody else's.
    var isOwn: Bool

    static let root = "/sys/fs/resctrl"

    /// - Throws: where the kernel has none, and for what isn't done: monitoring groups.
    init(_ value: LinuxIntelRdt, id: String, root: String = RdtPlan.root) throws(RuntimeError) {
        if !File.exists(root + "/schemata") {
            throw RuntimeError(
                "linux.intelRdt: this host has no resctrl filesystem at \(root) (mount -t resctrl resctrl \(root))")
        }
        if value.enableMonitoring {
            throw RuntimeError("linux.intelRdt.enableMonitoring is not supported by kubesim-oci")
        }
        let given = value.closID ?? ""
        if given.contains("/") || given == "." || given == ".." || given.utf8.contains(0) {
            throw RuntimeError("linux.intelRdt.closID: \"\(given)\" is not a folder's name")
        }
        isOwn = given.isEmpty
        path = root + "/" + (given.isEmpty ? id : given)
        schemata = value.schemata
        if schemata.isEmpty {
            for (line, field) in [(value.l3CacheSchema, "l3CacheSchema"), (value.memBwSchema, "memBwSchema")] {
                guard let line, !line.isEmpty else { continue }
                if field == "l3CacheSchema", line.split(separator: "\n").contains(where: { $0.hasPrefix("MB:") }) {
                    throw RuntimeError("linux.intelRdt.l3CacheSchema holds a line of memory bandwidth")
                }
                schemata.append(line)
            }
        }
    }

    /// Makes the group, sets its schemata and takes the process in.
    func admit(_ pid: pid_t) throws(RuntimeError) {
        try step("linux.intelRdt") { () throws(SystemError) in
            try Directory.make(path)
            for line in schemata { try File.writeExisting(path + "/schemata", line + "\n") }
            try File.writeExisting(path + "/tasks", String(pid))
        }
    }

    /// Takes a group of the container's own away.
    static func remove(id: String) {
        // The group belongs to the container; one that isn't there is what was wanted.
        rmdir(root + "/" + id)
    }
}
