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

    /// What `update` changes: the schemas that its flags name, in the configuration's group or, where that has none, in one of
    /// the container's own.
    ///
    /// - Returns: nil when no flag names any.
    /// - Throws: runc's words where this host can't do what is asked for.
    static func update(
        l3Cache: String, bandwidth: String, of configured: LinuxIntelRdt?, id: String, root: String = RdtPlan.root
    ) throws(RuntimeError) -> RdtPlan? {
        if !l3Cache.isEmpty, !File.exists(root + "/info/L3") {
            throw RuntimeError("Intel RDT/CAT: l3 cache schema is not enabled")
        }
        if !bandwidth.isEmpty, !File.exists(root + "/info/MB") {
            throw RuntimeError("Intel RDT/MBA: memory bandwidth schema is not enabled")
        }
        if l3Cache.isEmpty, bandwidth.isEmpty { return nil }
        let asked = LinuxIntelRdt(closID: configured?.closID, l3CacheSchema: l3Cache, memBwSchema: bandwidth)
        return try RdtPlan(asked, id: id, root: root)
    }

    /// Makes the group where it isn't there, sets its schemata and takes the processes in.
    func admit(_ processes: [pid_t]) throws(RuntimeError) {
        try step("linux.intelRdt") { () throws(SystemError) in
            try Directory.make(path)
            for line in schemata { try File.writeExisting(path + "/schemata", line + "\n") }
            for pid in processes {
                do throws(SystemError) {
                    try File.writeExisting(path + "/tasks", String(pid))
                } catch {
                    // It may have ended meanwhile.
                    if error.errno != .noProcess { throw error }
                }
            }
        }
    }

    /// Takes a group of the container's own away.
    static func remove(id: String) {
        // The group belongs to the container; one that isn't there is what was wanted.
        rmdir(root + "/" + id)
    }
}
