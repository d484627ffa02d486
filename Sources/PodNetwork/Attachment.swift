/// A sandbox that is to be on the network.
public struct Attachment: Sendable, Hashable {
    /// The sandbox's id, CNI_CONTAINERID: letters, digits, `.`, `_` and `-`.
    public var sandbox: String
    /// The network namespace's file.
    public var netns: String
    /// The pod's namespace, name and uid, for plugins (K8S_POD_…) and for messages.
    public var podNamespace: String
    public var podName: String
    public var podUID: String
    /// Host ports that lead to the pod.
    public var portMappings: [PortMapping]
    /// How fast the pod may receive and send; nil is as fast as it goes.
    public var bandwidth: Bandwidth?
    /// The pod's resolver, for plugins that want to know it.
    public var dns: PodDNS?
    /// The pod's annotations, for plugins that want to know them.
    public var annotations: [String: String]
    /// The pod's cgroup, for plugins that want to know it.
    public var cgroupParent: String?
    /// The interface inside the pod.
    public var interface: String

    public init(
        sandbox: String, netns: String, podNamespace: String, podName: String, podUID: String,
        portMappings: [PortMapping] = [], bandwidth: Bandwidth? = nil, dns: PodDNS? = nil,
        annotations: [String: String] = [:], cgroupParent: String? = nil, interface: String = "eth0"
    ) {
        self.sandbox = sandbox
        self.netns = netns
        self.podNamespace = podNamespace
        self.podName = podName
        self.podUID = podUID
        self.portMappings = portMappings
        self.bandwidth = bandwidth
        self.dns = dns
        self.annotations = annotations
        self.cgroupParent = cgroupParent
        self.interface = interface
    }

    /// `namespace/name`
    var pod: String { podNamespace + "/" + podName }
}

/// A host port that leads to a pod's port.
public struct PortMapping: Sendable, Hashable {
    public enum TransportProtocol: String, Sendable, Hashable { case tcp, udp, sctp }

    public var hostPort: UInt16
    public var containerPort: UInt16
    public var transport: TransportProtocol
    /// The host's address that listens; nil is every one.
    public var hostIP: String?

    public init(
        hostPort: UInt16, containerPort: UInt16, transport: TransportProtocol = .tcp, hostIP: String? = nil
    ) {
        self.hostPort = hostPort
        self.containerPort = containerPort
        self.transport = transport
        self.hostIP = hostIP
    }
}

/// What a pod may receive (ingress) and send (egress), in bits a second; nil is no limit.
public struct Bandwidth: Sendable, Hashable {
    public var ingress: UInt64?
    public var egress: UInt64?

    public init(ingress: UInt64? = nil, egress: UInt64? = nil) {
        self.ingress = ingress
        self.egress = egress
    }
}

/// A pod's resolver.
public struct PodDNS: Sendable, Hashable {
    public var servers: [String]
    public var searches: [String]
    public var options: [String]

    public init(servers: [String] = [], searches: [String] = [], options: [String] = []) {
        self.servers = servers
        self.searches = searches
        self.options = options
    }
}
