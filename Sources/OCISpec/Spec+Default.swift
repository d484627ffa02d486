extension Spec {
    /// What `spec` writes as a start: a shell in the bundle's `rootfs`, with little power.
    ///
    /// - Parameters:
    ///   - hostname: the name inside.
    ///   - cgroupNamespace: whether the container gets one; cgroup v2 hosts should.
    public static func starter(hostname: String = "kubesim", cgroupNamespace: Bool = true) -> Spec {
        let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        var namespaces: [LinuxNamespace] = [.pid, .network, .ipc, .uts, .mount].map { LinuxNamespace(type: $0) }
        if cgroupNamespace { namespaces.append(LinuxNamespace(type: .cgroup)) }
        return Spec(
            process: Process(
                terminal: true, args: ["sh"],
                env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"], cwd: "/",
                capabilities: LinuxCapabilities(
                    bounding: capabilities, effective: capabilities, permitted: capabilities),
                rlimits: [POSIXRlimit(type: "RLIMIT_NOFILE", hard: 1024, soft: 1024)], noNewPrivileges: true),
            root: Root(path: "rootfs", readonly: true), hostname: hostname, mounts: Mount.starters,
            linux: LinuxSection(
                resources: LinuxResources(devices: [LinuxDeviceCgroup(allow: false, access: "rwm")]),
                namespaces: namespaces, maskedPaths: LinuxSection.usualMaskedPaths,
                readonlyPaths: LinuxSection.usualReadonlyPaths))
    }
}

extension Spec {
    /// Makes it one that a user without rights can run: a user namespace in which they are root, the host's network and sysfs,
    /// no limits.
    public mutating func makeRootless(uid: UInt32, gid: UInt32) {
        linux?.namespaces.removeAll { $0.type == .network || $0.type == .user }
        linux?.namespaces.append(LinuxNamespace(type: .user))
        linux?.uidMappings = [LinuxIDMapping(containerID: 0, hostID: uid, size: 1)]
        linux?.gidMappings = [LinuxIDMapping(containerID: 0, hostID: gid, size: 1)]
        linux?.resources = nil
        mounts = mounts.map { mount in
            if mount.destination == "/sys" {
                return Mount(
                    destination: "/sys", type: "none", source: "/sys",
                    options: ["rbind", "nosuid", "noexec", "nodev", "ro"])
            }
            var changed = mount
            // Only the own id is there to be given.
            changed.options.removeAll { $0.hasPrefix("uid=") || $0.hasPrefix("gid=") }
            return changed
        }
    }
}

extension Mount {
    /// The filesystems that programs expect.
    public static let starters: [Mount] = [
        Mount(destination: "/proc", type: "proc", source: "proc"),
        Mount(
            destination: "/dev", type: "tmpfs", source: "tmpfs",
            options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        Mount(
            destination: "/dev/pts", type: "devpts", source: "devpts",
            options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        Mount(
            destination: "/dev/shm", type: "tmpfs", source: "shm",
            options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        Mount(destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
        Mount(destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
        Mount(
            destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
            options: ["nosuid", "noexec", "nodev", "relatime", "ro"]),
    ]
}

extension LinuxSection {
    /// What containers shouldn't see of the host's kernel.
    public static let usualMaskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    /// What containers shouldn't change of the host's kernel.
    public static let usualReadonlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]
}
