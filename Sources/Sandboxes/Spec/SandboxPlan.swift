import CRI
import Glibc
import Images
import PodNetwork

/// Where things of one engine lie.
struct Places: Sendable, Equatable {
    var root: String
    var state: String
    var netnsDirectory: String
    var cgroupRoot: String
    var cgroupDriver: CgroupDriver

    init(_ configuration: EngineConfiguration) {
        root = configuration.root
        state = configuration.state
        netnsDirectory = configuration.netnsDirectory
        cgroupRoot = configuration.cgroupRoot
        cgroupDriver = configuration.cgroupDriver
    }

    /// The shim's directory and the pod's files: 0700.
    func sandbox(_ id: SandboxID) -> String { "\(state)/sandboxes/\(id.text)" }
    func shim(_ id: SandboxID) -> String { sandbox(id) + "/shim" }
    func pauseBundle(_ id: SandboxID) -> String { sandbox(id) + "/pause" }
    func files(_ id: SandboxID) -> PodFiles { PodFiles(directory: sandbox(id)) }
    func bundle(_ id: ContainerID) -> String { "\(state)/containers/\(id.text)" }
    func rootfs(_ id: ContainerID) -> String { bundle(id) + "/rootfs" }
    /// Where a container's image volumes are mounted.
    func imageVolumes(_ id: ContainerID) -> String { bundle(id) + "/images" }
    func volumes(_ id: ContainerID) -> String { "\(root)/containers/\(id.text)/volumes" }
    /// Where a pod's user namespace is mounted.
    func userNamespace(_ id: SandboxID) -> String { sandbox(id) + "/userns" }
    /// The images of processes that a container is restored from.
    func checkpoint(_ id: ContainerID) -> String { "\(root)/containers/\(id.text)/checkpoint" }
    func netns(_ id: SandboxID) -> String { "\(netnsDirectory)/kubesim-\(id.short)" }
    var runtimeRoot: String { state + "/oci" }
    var pauseRootfs: String { root + "/pause/rootfs" }

    /// The cgroup of a pod's sandbox or container below its parent; a pod without a parent gets one of ours.
    ///
    /// As a path below the hierarchies' mounts: `<root of all><parent>/<id>`; with systemd the parent is a slice, whose name
    /// says in which others it lies, and the cgroup a scope of ours.
    func cgroup(parent: String, id: String) throws(CRIError) -> String {
        guard cgroupDriver == .systemd else { return try plainCgroup(parent: parent, id: id) }
        let slice = try slice(parent)
        var path = ""
        var name = ""
        for part in slice.dropLast(6).split(separator: "-") {
            name += (name.isEmpty ? "" : "-") + part
            path += "/\(name).slice"
        }
        return "\(path)/kubesim-\(id).scope"
    }

    /// The same in the OCI runtime's words: a path, or `slice:prefix:name`.
    func ociCgroup(parent: String, id: String) throws(CRIError) -> String {
        guard cgroupDriver == .systemd else { return try plainCgroup(parent: parent, id: id) }
        return "\(try slice(parent)):kubesim:\(id)"
    }

    /// A slice's name, as the last part of a parent's path.
    private func slice(_ parent: String) throws(CRIError) -> String {
        let name = parent.isEmpty ? "system.slice" : parent.split(separator: "/").last.map(String.init) ?? ""
        let isSlice =
            name.hasSuffix(".slice") && name.utf8.count > 6 && !name.hasPrefix("-") && !name.contains("--")
            && !name.hasSuffix("-.slice")
            && name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "-_.@\\".utf8.contains(byte)
            }
        guard isSlice else {
            throw CRIError(
                .invalidArgument,
                "cgroup_parent \"\(parent.prefix(200))\": not a slice, which cgroupDriver systemd needs; set the"
                    + " kubelet's cgroupDriver to systemd, too, or kubesim's to cgroupfs")
        }
        return name
    }

    private func plainCgroup(parent: String, id: String) throws(CRIError) -> String {
        let parent = parent.isEmpty ? "/kubesim" : parent
        let parts = (cgroupRoot + "/" + parent).split(separator: "/")
        for part in parts where part == "." || part == ".." || part.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            throw CRIError(.invalidArgument, "cgroup_parent \"\(parent)\": not a plain path")
        }
        return "/" + parts.joined(separator: "/") + "/" + id
    }
}

/// What making a sandbox will do, decided before anything is made.
struct SandboxPlan: Sendable {
    var id: SandboxID
    /// `namespace/name`, for people.
    var pod: String
    var hostname: String
    /// The network namespace to be made; nil with the host's network.
    var netns: String?
    /// The ids of the user namespace to be made; nil in the host's.
    var idMappings: IDMappings?
    /// What to ask of the network; nil with the host's network.
    var attachment: Attachment?
    var spec: SandboxSpecInput
    /// The pod's files, ready to write.
    var hostsText: String
    var resolvText: String
    /// A shared memory filesystem of the pod's own.
    var makesShm: Bool

    /// Decides; pure.
    ///
    /// - Parameters:
    ///   - hostHosts: the host's `/etc/hosts`, nil when there is none
    ///   - hostResolv: the host's `/etc/resolv.conf`, nil when there is none
    ///   - handler: the OCI runtime, and what it can do
    /// - Throws: `.invalidArgument` for a config that can't be carried out, `.failedPrecondition` for one that this OCI runtime
    ///   can't.
    static func make(
        id: SandboxID, config: CRIPodSandboxConfig, places: Places, facts: HostFacts, hostHosts: String?,
        hostResolv: String?, handler: RuntimeHandler = RuntimeHandler(path: ""), features: RuntimeFeatures
    ) throws(CRIError) -> SandboxPlan {
        let metadata = config.metadata
        guard config.hasMetadata, !metadata.name.isEmpty, !metadata.namespace.isEmpty, !metadata.uid.isEmpty else {
            throw CRIError(.invalidArgument, "pod sandbox config: metadata needs name, namespace and uid")
        }
        let pod = "\(metadata.namespace)/\(metadata.name)"
        try checkTexts(config)
        let options = config.linux.securityContext.namespaceOptions
        try UnknownWords.refuse(in: options, of: "pod \(pod)")
        let mappings = try IDMappings.wish(options, for: "pod \(pod)")
        guard mappings == nil || features.userNamespaces else {
            throw CRIError(
                .failedPrecondition,
                "pod \(pod): user namespace: the OCI runtime \(handler.path) or this kernel can't map ids (kubesim-oci can,"
                    + " where /proc/sys/user/max_user_namespaces is not 0)")
        }
        guard config.logDirectory.isEmpty || config.logDirectory.hasPrefix("/") else {
            throw CRIError(.invalidArgument, "pod \(pod): log_directory \(config.logDirectory): not absolute")
        }
        let hostNetwork = options.network == .node
        let hostname =
            hostNetwork
            ? facts.hostname : config.hostname.isEmpty ? String(metadata.name.prefix(63)) : config.hostname
        guard hostname.utf8.count <= 64 else {
            throw CRIError(.invalidArgument, "pod \(pod): hostname \(hostname): longer than 64 characters")
        }
        let netns = hostNetwork ? nil : places.netns(id)
        let attachment = try netns.map { netns throws(CRIError) in
            try NetworkWish.attachment(id: id, config: config, netns: netns)
        }
        let input = SandboxSpecInput(
            id: id, config: config, rootfs: places.pauseRootfs, netns: netns, hostname: hostname,
            cgroupsPath: try places.ociCgroup(parent: config.linux.cgroupParent, id: id.text), facts: facts,
            idMappings: mappings, userNamespace: places.userNamespace(id), handler: handler, features: features)
        return SandboxPlan(
            id: id, pod: pod, hostname: hostname, netns: netns, idMappings: mappings, attachment: attachment,
            spec: input,
            hostsText: PodFileTexts.hosts(host: hostHosts, hostname: hostname),
            resolvText: try PodFileTexts.resolvConf(
                dns: config.hasDnsConfig ? config.dnsConfig : nil, host: hostResolv),
            makesShm: options.ipc != .node)
    }

    /// The longest name or path, in bytes: PATH_MAX (limits.h).
    private static let longestText = 4096

    /// What goes into names, paths and files.
    private static func checkTexts(_ config: CRIPodSandboxConfig) throws(CRIError) {
        let metadata = config.metadata
        for (field, text) in [
            ("metadata.name", metadata.name), ("metadata.namespace", metadata.namespace),
            ("metadata.uid", metadata.uid), ("hostname", config.hostname), ("log_directory", config.logDirectory),
        ] {
            guard text.utf8.count <= longestText else {
                throw CRIError(
                    .invalidArgument,
                    "pod sandbox config: \(field) has \(text.utf8.count) bytes; \(longestText) are the most")
            }
            guard !text.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
                throw CRIError(.invalidArgument, "pod sandbox config: \(field) has control characters in it")
            }
        }
    }
}
