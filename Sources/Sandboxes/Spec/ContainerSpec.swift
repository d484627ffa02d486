import CRI
import Images
import OCISpec

/// Everything that a container's spec is made from: what was asked, what the image says, and what was looked up.
struct ContainerSpecInput: Sendable {
    var id: ContainerID
    var sandbox: SandboxID
    var config: CRIContainerConfig
    var sandboxConfig: CRIPodSandboxConfig
    var image: ImageConfig
    var imageName: String
    var user: ResolvedUser
    /// Where the root filesystem is mounted.
    var rootfs: String
    /// The pod's shared files on the host.
    var files: PodFiles
    /// The pause process, whose namespaces the container joins; 0 when the pod has no namespace of its own.
    var pausePID: Int32
    /// The pod's network namespace; nil on the host's network.
    var netns: String?
    /// The process whose pid namespace is joined with NamespaceMode TARGET.
    var targetPID: Int32?
    var hostname: String
    /// Bind mounts of the config, their sources made and checked, in the config's order.
    var mounts: [PreparedMount]
    /// Directories for the volumes that the image declares and no mount covers: path in the container → host directory.
    var volumes: [(destination: String, source: String)]
    /// Device nodes to make, from the config (or, privileged, the host's own).
    var devices: [PreparedDevice]
    /// The seccomp section of a Localhost profile, read and parsed.
    var localhostSeccomp: LinuxSeccomp?
    /// As the OCI runtime wants it: a path, or `slice:prefix:name` for systemd.
    var cgroupsPath: String
    var facts: HostFacts
    /// The pod's user namespace: its ids, and where it is mounted.
    var idMappings: IDMappings?
    var userNamespace: String = ""
    var handler = RuntimeHandler(path: "")
    var features = RuntimeFeatures()
    /// What the CDI devices change, with what had to be looked up.
    var cdi: [CDIEdits] = []
    /// The SELinux labels; nil where SELinux is off.
    var labels: SELinuxLabels?
}

/// A bind mount whose source is there.
struct PreparedMount: Sendable, Equatable {
    /// Clean and absolute.
    var destination: String
    /// On the host, links resolved.
    var source: String
    var readonly: Bool
    var recursiveReadOnly: Bool
    var propagation: CRIMountPropagation
    /// The ids of an id-mapped mount.
    var uidMappings: [LinuxIDMapping] = []
    var gidMappings: [LinuxIDMapping] = []
}

/// A device node that was looked at on the host.
struct PreparedDevice: Sendable, Equatable {
    var path: String
    /// `c` or `b`.
    var type: String
    var major: Int64
    var minor: Int64
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    /// Of `rwm`.
    var access: String
}

/// Builds the runtime spec of a container: pure, so every rule has its test.
enum ContainerSpec {
    static func build(_ input: ContainerSpecInput) throws(CRIError) -> Spec {
        let config = input.config
        let security = config.linux.securityContext
        let facts = input.facts
        let privileged = security.privileged
        if privileged, !input.sandboxConfig.linux.securityContext.privileged {
            throw CRIError(.invalidArgument, "a privileged container in a sandbox that isn't privileged")
        }
        if case .UNRECOGNIZED(let number) = security.supplementalGroupsPolicy {
            throw CRIError(.invalidArgument, "supplemental_groups_policy \(number): unknown")
        }
        let capabilities = try Capabilities.plan(
            privileged: privileged, config: security.capabilities, available: facts.capabilities)

        var process = Process()
        process.terminal = config.tty
        process.user = User(uid: input.user.uid, gid: input.user.gid, additionalGids: input.user.groups)
        process.args = try ProcessPlan.arguments(config: config, image: input.image)
        process.env = try ProcessPlan.environment(
            config: config, image: input.image, hostname: input.hostname, home: input.user.home)
        process.cwd = try ProcessPlan.workingDirectory(config: config, image: input.image)
        process.noNewPrivileges = security.noNewPrivs
        process.oomScoreAdj = facts.clamp(oomScoreAdj: config.linux.resources.oomScoreAdj)
        // The inheritable set stays empty (CVE-2022-29162), but the ambient one needs what it raises there.
        process.capabilities = LinuxCapabilities(
            bounding: capabilities.granted, effective: capabilities.granted, inheritable: capabilities.ambient,
            permitted: capabilities.granted, ambient: capabilities.ambient)
        process.apparmorProfile = try AppArmor.profile(
            security.hasApparmor ? security.apparmor : nil, legacy: security.apparmorProfile, privileged: privileged,
            facts: facts)
        process.selinuxLabel = input.labels?.process

        var linux = LinuxSection()
        linux.cgroupsPath = input.cgroupsPath
        linux.namespaces = namespaces(input)
        linux.uidMappings = input.idMappings?.uids ?? []
        linux.gidMappings = input.idMappings?.gids ?? []
        linux.mountLabel = input.labels?.mount
        linux.resources = try Resources.plan(config.linux.resources, facts: facts)
        let devices = devices(input)
        linux.devices = devices.nodes
        linux.resources?.devices = devices.rules
        linux.rootfsPropagation = rootfsPropagation(input.mounts)
        if !privileged {
            // An empty list hides nothing: so says a kubelet `procMount: Unmasked`.
            linux.maskedPaths = security.maskedPaths
            linux.readonlyPaths = security.readonlyPaths
            linux.seccomp = try seccomp(input, capabilities: Set(capabilities.granted))
        }

        var spec = Spec(
            ociVersion: input.features.specVersion, process: process,
            root: Root(path: input.rootfs, readonly: security.readonlyRootfs),
            mounts: ContainerMounts.plan(input), annotations: annotations(input), linux: linux)
        for edits in input.cdi { edits.apply(to: &spec) }
        return spec
    }

    private static func seccomp(
        _ input: ContainerSpecInput, capabilities: Set<String>
    ) throws(CRIError) -> LinuxSeccomp? {
        let security = input.config.linux.securityContext
        let wish = try SeccompProfile.wish(
            profile: security.hasSeccomp ? security.seccomp : nil, legacyPath: security.seccompProfilePath)
        return switch wish {
        case .unconfined: nil
        case .runtimeDefault: SeccompProfile.runtimeDefault(capabilities: capabilities, facts: input.facts)
        case .localhost: input.localhostSeccomp
        }
    }

    private static func namespaces(_ input: ContainerSpecInput) -> [LinuxNamespace] {
        let security = input.config.linux.securityContext
        let options = security.namespaceOptions
        let pause = input.pausePID
        var result = [LinuxNamespace(type: .mount)]
        if input.idMappings != nil { result.append(LinuxNamespace(type: .user, path: input.userNamespace)) }
        switch options.pid {
        case .node: break
        case .target: result.append(LinuxNamespace(type: .pid, path: "/proc/\(input.targetPID ?? 0)/ns/pid"))
        case .pod: result.append(LinuxNamespace(type: .pid, path: "/proc/\(pause)/ns/pid"))
        default: result.append(LinuxNamespace(type: .pid))
        }
        if options.ipc != .node { result.append(LinuxNamespace(type: .ipc, path: "/proc/\(pause)/ns/ipc")) }
        if let netns = input.netns {
            result.append(LinuxNamespace(type: .network, path: netns))
            // With the host's network comes the host's name.
            result.append(LinuxNamespace(type: .uts, path: "/proc/\(pause)/ns/uts"))
        }
        if !security.privileged { result.append(LinuxNamespace(type: .cgroup)) }
        return result
    }

    private static func devices(_ input: ContainerSpecInput) -> (nodes: [LinuxDevice], rules: [LinuxDeviceCgroup]) {
        let nodes = input.devices.map {
            LinuxDevice(
                path: $0.path, type: $0.type, major: $0.major, minor: $0.minor, fileMode: $0.mode, uid: $0.uid,
                gid: $0.gid)
        }
        if input.config.linux.securityContext.privileged {
            return (nodes, [LinuxDeviceCgroup(allow: true, access: "rwm")])
        }
        let rules = input.devices.map {
            LinuxDeviceCgroup(allow: true, type: $0.type, major: $0.major, minor: $0.minor, access: $0.access)
        }
        return (nodes, [LinuxDeviceCgroup(allow: false, access: "rwm")] + rules)
    }

    /// The root must pass mounts on (or receive them) as the most demanding of its mounts does.
    private static func rootfsPropagation(_ mounts: [PreparedMount]) -> String? {
        if mounts.contains(where: { $0.propagation == .propagationBidirectional }) { return "rshared" }
        if mounts.contains(where: { $0.propagation == .propagationHostToContainer }) { return "rslave" }
        return nil
    }

    private static func annotations(_ input: ContainerSpecInput) -> [String: String] {
        let pod = input.sandboxConfig.metadata
        let passed = RuntimeHandler.passed(input.sandboxConfig.annotations, through: input.handler.podAnnotations)
            .merging(RuntimeHandler.passed(input.config.annotations, through: input.handler.containerAnnotations)) {
                $1
            }
        let own = [
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.container-name": input.config.metadata.name,
            "io.kubernetes.cri.image-name": input.imageName,
            "io.kubernetes.cri.sandbox-id": input.sandbox.text,
            "io.kubernetes.cri.sandbox-name": pod.name,
            "io.kubernetes.cri.sandbox-namespace": pod.namespace,
            "io.kubernetes.cri.sandbox-uid": pod.uid,
        ]
        return passed.merging(own) { $1 }
    }

    /// Parts of /proc and /sys that tell too much of the host.
    static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]

    /// Parts of /proc through which a container could change the host.
    static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}
