import Glibc
import Linux
import OCISpec

/// uid_map and gid_map of a new user namespace (user_namespaces(7)).
enum UserMappings {
    static func write(_ uids: [LinuxIDMapping], _ gids: [LinuxIDMapping], pid: pid_t) throws(RuntimeError) {
        try write(uids, "uid_map", pid)
        try write(gids, "gid_map", pid)
    }

    private static func write(_ mappings: [LinuxIDMapping], _ file: String, _ pid: pid_t) throws(RuntimeError) {
        // All lines in one write: the kernel takes no second.
        let text = mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
        try step("linux.\(file == "uid_map" ? "uidMappings" : "gidMappings")") { () throws(SystemError) in
            try File.writeExisting("/proc/\(pid)/\(file)", text)
        }
    }
}
