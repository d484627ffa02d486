import Glibc
import Linux
import OCISpec

/// uid_map and gid_map of a new user namespace (user_namespaces(7)).
enum UserMappings {
    static func write(_ uids: [LinuxIDMapping], _ gids: [LinuxIDMapping], pid: pid_t) throws(RuntimeError) {
        if geteuid() == 0 {
            try write(uids, "uid_map", pid)
            try write(gids, "gid_map", pid)
            return
        }
        // Who isn't root may map only themselves, and gives up setgroups(2) for it; more takes the set-uid programs that know
        // /etc/subuid and /etc/subgid.
        if isOnly(uids, geteuid()) { try write(uids, "uid_map", pid) } else { try run("newuidmap", uids, pid) }
        if isOnly(gids, getegid()) {
            try step("linux.gidMappings") { () throws(SystemError) in
                try File.writeExisting("/proc/\(pid)/setgroups", "deny")
            }
            try write(gids, "gid_map", pid)
        } else {
            try run("newgidmap", gids, pid)
        }
    }

    private static func isOnly(_ mappings: [LinuxIDMapping], _ id: UInt32) -> Bool {
        mappings.count == 1 && mappings[0].hostID == id && mappings[0].size == 1
    }

    private static func write(_ mappings: [LinuxIDMapping], _ file: String, _ pid: pid_t) throws(RuntimeError) {
        // All lines in one write: the kernel takes no second.
        let text = mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
        try step("linux.\(file == "uid_map" ? "uidMappings" : "gidMappings")") { () throws(SystemError) in
            try File.writeExisting("/proc/\(pid)/\(file)", text)
        }
    }

    /// newuidmap(1), newgidmap(1): the process, then three numbers a mapping.
    private static func run(_ program: String, _ mappings: [LinuxIDMapping], _ pid: pid_t) throws(RuntimeError) {
        let field = program == "newuidmap" ? "linux.uidMappings" : "linux.gidMappings"
        guard let path = SearchPath.find(program) else {
            throw RuntimeError(
                "\(field): \(program) isn't in PATH, and without it only the own id can be mapped (Debian: uidmap)")
        }
        let numbers = mappings.flatMap { [String($0.containerID), String($0.hostID), String($0.size)] }
        let status = try step(field) { () throws(SystemError) in
            try Spawn(path, [program, String(pid)] + numbers).start().pidfd.wait()
        }
        if status != .exited(code: 0) {
            throw RuntimeError("\(field): \(program) failed; are the ids yours in /etc/subuid and /etc/subgid?")
        }
    }
}

/// The caller's PATH.
enum SearchPath {
    /// A program's path, or nil when there is none of that name.
    static func find(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
