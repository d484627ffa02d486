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

    init(_ configuration: EngineConfiguration) {
        root = configuration.root
        state = configuration.state
        netnsDirectory = configuration.netnsDirectory
        cgroupRoot = configuration.cgroupRoot
    }

    /// The shim's directory and the pod's files: 0700.
    func sandbox(_ id: SandboxID) -> String { "\(state)/sandboxes/\(id.text)" }
    func shim(_ id: SandboxID) -> String { sandbox(id) + "/shim" }
    func pauseBundle(_ id: SandboxID) -> String { sandbox(id) + "/pause" }
    func files(_ id: SandboxID) -> PodFiles { PodFiles(directory: sandbox(id)) }
    func bundle(_ id: ContainerID) -> String { "\(state)/containers/\(id.text)" }
    func rootfs(_ id: ContainerID) -> String { bundle(id) + "/rootfs" }
    func volumes(_ id: ContainerID) -> String { "\(root)/containers/\(id.text)/volumes" }
    func netns(_ id: SandboxID) -> String { "\(netnsDirectory)/kubesim-\(id.short)" }
    var runtimeRoot: String { state + "/oci" }
    var pauseRootfs: String { root + "/pause/rootfs" }

    /// `<root of all><parent>/<id>`; a pod without a parent gets one of ours.
    func cgroup(parent: String, id: String) throws(CRIError) -> String {
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
    /// - Throws: `.invalidArgument` for a config that can't be carried out, `.unimplemented` for a user namespace.
    static func make(
        id: SandboxID, config: CRIPodSandboxConfig, places: Places, facts: HostFacts, hostHosts: String?,
        hostResolv: String?
    ) throws(CRIError) -> SandboxPlan {
        let metadata = config.metadata
        guard config.hasMetadata, !metadata.name.isEmpty, !metadata.namespace.isEmpty, !metadata.uid.isEmpty else {
            throw CRIError(.invalidArgument, "pod sandbox config: metadata needs name, namespace and uid")
        }
        let pod = "\(metadata.namespace)/\(metadata.name)"
        for text in [metadata.name, metadata.namespace, metadata.uid, config.hostname, config.logDirectory]
        where text.utf8.contains(where: { $0 < 32 || $0 == 127 }) || text.utf8.count > 4096 {
            throw CRIError(.invalidArgument, "pod sandbox config: a name, host name or path with control characters")
        }
        let options = config.linux.securityContext.namespaceOptions
        if options.hasUsernsOptions, options.usernsOptions.mode == .pod {
            throw CRIError(.unimplemented, "pod \(pod): user namespaces (userns_options mode POD) are not done yet")
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
        var attachment: Attachment?
        if let netns {
            var mappings: [PortMapping] = []
            for mapping in config.portMappings where mapping.hostPort != 0 {
                mappings.append(try portMapping(mapping, pod: pod))
            }
            attachment = Attachment(
                sandbox: id.text, netns: netns, podNamespace: metadata.namespace, podName: metadata.name,
                podUID: metadata.uid, portMappings: mappings)
        }
        let input = SandboxSpecInput(
            id: id, config: config, rootfs: places.pauseRootfs, netns: netns, hostname: hostname,
            cgroupsPath: try places.cgroup(parent: config.linux.cgroupParent, id: id.text), facts: facts)
        return SandboxPlan(
            id: id, pod: pod, hostname: hostname, netns: netns, attachment: attachment, spec: input,
            hostsText: PodFileTexts.hosts(host: hostHosts, hostname: hostname),
            resolvText: try PodFileTexts.resolvConf(
                dns: config.hasDnsConfig ? config.dnsConfig : nil, host: hostResolv),
            makesShm: options.ipc != .node)
    }

    static func portMapping(_ asked: CRIPortMapping, pod: String) throws(CRIError) -> PortMapping {
        guard let host = UInt16(exactly: asked.hostPort), let container = UInt16(exactly: asked.containerPort),
            container != 0
        else {
            throw CRIError(
                .invalidArgument,
                "pod \(pod): port mapping \(asked.hostPort) to \(asked.containerPort): not ports (1…65535)")
        }
        let transport: PortMapping.TransportProtocol
        switch asked.protocol {
        case .tcp: transport = .tcp
        case .udp: transport = .udp
        case .sctp: transport = .sctp
        case .UNRECOGNIZED(let number):
            throw CRIError(.invalidArgument, "pod \(pod): protocol \(number) of a port mapping: unknown")
        }
        guard asked.hostIp.isEmpty || isAddress(asked.hostIp) else {
            throw CRIError(
                .invalidArgument, "pod \(pod): port mapping \(host): host address \"\(asked.hostIp)\" is no IP address")
        }
        return PortMapping(
            hostPort: host, containerPort: container, transport: transport,
            hostIP: asked.hostIp.isEmpty ? nil : asked.hostIp)
    }

    /// Of either family (inet_pton(3)).
    private static func isAddress(_ text: String) -> Bool {
        var binary = in6_addr()
        return inet_pton(AF_INET, text, &binary) == 1 || inet_pton(AF_INET6, text, &binary) == 1
    }
}
