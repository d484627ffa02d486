import Cgroups

/// The end of a cgroup that nobody looks after any more.
enum CgroupEnd {
    /// Kills every process in it and removes it; one that isn't there is success.
    static func killAndRemove(_ path: String, host: CgroupHost) throws(CgroupError) {
        // A record without a path must never mean the host's own root.
        guard path.contains(where: { $0 != "/" && $0 != "." }) else { return }
        let cgroup = try Cgroup(path: path, host: host)
        try cgroup.killAll()
        try cgroup.remove()
    }
}
