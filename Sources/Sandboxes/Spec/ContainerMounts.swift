import CRI
import OCISpec

/// The mounts of a container: the kernel's filesystems, the pod's shared files, the image's volumes, the config's mounts.
enum ContainerMounts {
    static func plan(_ input: ContainerSpecInput) -> [Mount] {
        let security = input.config.linux.securityContext
        let taken = Set(input.mounts.map(\.destination))
        let mounts = system(input).filter { !taken.contains($0.destination) }
        var binds: [Mount] = []

        // The runtime binds what the pod shares unless the config brings its own.
        let access = security.readonlyRootfs ? "ro" : "rw"
        var shared: [(String, String)] = [
            ("/etc/hosts", input.files.hosts), ("/etc/resolv.conf", input.files.resolvConf),
        ]
        shared.append(("/etc/hostname", input.files.hostname))
        for (destination, source) in shared where !taken.contains(destination) {
            binds.append(
                Mount(destination: destination, type: "bind", source: source, options: ["rbind", "rprivate", access]))
        }
        if !taken.contains("/dev/shm") {
            let source = security.namespaceOptions.ipc == .node ? "/dev/shm" : input.files.shm
            binds.append(
                Mount(destination: "/dev/shm", type: "bind", source: source, options: ["rbind", "rprivate", "rw"]))
        }
        for volume in input.volumes where !taken.contains(volume.destination) {
            binds.append(
                Mount(
                    destination: volume.destination, type: "bind", source: volume.source,
                    options: ["rbind", "rprivate", "rw"]))
        }
        for mount in input.mounts { binds.append(bind(mount)) }

        return mounts + byDepth(binds)
    }

    /// A parent before what lies in it, whatever the order of the config; equals keep theirs.
    static func byDepth(_ mounts: [Mount]) -> [Mount] {
        mounts.enumerated().sorted { left, right in
            let (a, b) = (depth(left.element.destination), depth(right.element.destination))
            return a == b ? left.offset < right.offset : a < b
        }.map(\.element)
    }

    private static func depth(_ path: String) -> Int { path.split(separator: "/").count }

    private static func bind(_ mount: PreparedMount) -> Mount {
        var options = ["rbind"]
        switch mount.propagation {
        case .propagationBidirectional: options.append("rshared")
        case .propagationHostToContainer: options.append("rslave")
        default: options.append("rprivate")
        }
        options.append(mount.recursiveReadOnly ? "rro" : mount.readonly ? "ro" : "rw")
        return Mount(
            destination: mount.destination, type: "bind", source: mount.source, options: options,
            uidMappings: mount.uidMappings, gidMappings: mount.gidMappings)
    }

    /// Whose group terminals have (`tty`), where the pod has such a group.
    private static func terminals(_ mappings: IDMappings?) -> [String] {
        let options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
        if let mappings, IDMappings.host(5, mappings.gids) == nil { return options }
        return options + ["gid=5"]
    }

    /// Of the host's network only the host's root can mount a sysfs: a pod with ids of its own sees the host's, read-only.
    private static func kernelObjects(_ input: ContainerSpecInput, access: String) -> Mount {
        guard input.idMappings != nil, input.netns == nil else {
            return Mount(
                destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", access])
        }
        return Mount(
            destination: "/sys", type: "bind", source: "/sys", options: ["rbind", "rro", "nosuid", "noexec", "nodev"])
    }

    private static func system(_ input: ContainerSpecInput) -> [Mount] {
        let privileged = input.config.linux.securityContext.privileged
        let access = privileged ? "rw" : "ro"
        return [
            Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Mount(
                destination: "/dev/pts", type: "devpts", source: "devpts", options: terminals(input.idMappings)),
            Mount(
                destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
            kernelObjects(input, access: access),
            Mount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                options: ["nosuid", "noexec", "nodev", "relatime", access]),
        ]
    }
}
