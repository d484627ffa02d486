import CRI

/// Names of capabilities as the kernel knows them, and the sets that containers get.
enum Capabilities {
    /// All, by number (linux/capability.h, 6.x).
    static let all = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// What an ordinary container has, the same fourteen as with Docker and containerd.
    static let ordinary = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE",
        "CAP_SETFCAP",
    ]

    /// The capabilities of a container, in the kernel's order, and those of them that are ambient.
    ///
    /// A privileged container has all that the host can give (`available`, the bounding set of this process);
    /// `ALL` in either list means every one.
    static func plan(
        privileged: Bool, config: CRICapability, available: Set<String>
    ) throws(CRIError) -> (granted: [String], ambient: [String]) {
        let add = try names(config.addCapabilities)
        let drop = try names(config.dropCapabilities)
        let ambient = try names(config.addAmbientCapabilities)
        if privileged { return (all.filter(available.contains), []) }
        var granted = Set(ordinary)
        if add.contains("ALL") { granted = available }
        if drop.contains("ALL") { granted = [] }
        granted.formUnion(add.subtracting(["ALL"]))
        granted.formUnion(ambient.subtracting(["ALL"]))
        granted.subtract(drop)
        return (all.filter(granted.contains), all.filter { ambient.contains($0) && granted.contains($0) })
    }

    private static func names(_ texts: [String]) throws(CRIError) -> Set<String> {
        var result: Set<String> = []
        for text in texts {
            var name = text.uppercased()
            if name == "ALL" || name == "CAP_ALL" {
                result.insert("ALL")
                continue
            }
            if !name.hasPrefix("CAP_") { name = "CAP_" + name }
            guard all.contains(name) else { throw CRIError(.invalidArgument, "capability \"\(text)\": unknown") }
            result.insert(name)
        }
        return result
    }
}
