/// What a kubelet is told about its node: names, places and limits. Every path is absolute.
public struct KubeletConfiguration: Sendable {
    /// The node's name: the suffix of static pods' names, `spec.nodeName` and their default hostname's origin.
    public var nodeName: String
    /// The data directory; the kubelet owns `pods` below it (`<root>/pods/<uid>/…`).
    public var root: String
    /// The directory whose files are pod manifests.
    public var manifests: String
    /// Below it `NAMESPACE_NAME_UID/CONTAINER/N.log`.
    public var podLogs: String
    /// Holds the symbolic links `NAME_NAMESPACE_CONTAINER-ID.log`.
    public var containerLogs: String
    /// The cgroup below which `kubepods` is made, as a path inside every hierarchy ("/" is the top).
    public var cgroupRoot: String
    /// Pod-level cgroups are made by the kubelet; false leaves that to the runtime.
    public var makesPodCgroups: Bool
    /// The cluster's DNS servers. Empty: `ClusterFirst` falls back to `Default`, as upstream's does.
    public var clusterDNS: [String]
    /// The cluster's domain, "cluster.local".
    public var clusterDomain: String
    /// The resolver file of `dnsPolicy: Default`. Empty: none.
    public var resolverFile: String
    /// The hosts file that pods on the host's network start from.
    public var hostsFile: String
    /// The node's addresses: `status.hostIP` and the address of pods on the host's network, the first one first.
    public var nodeAddresses: [String]
    /// Where missing images are looked for, for the message of a pod that waits for one.
    public var imagesDirectory: String
    /// How long between two complete looks at the runtime while its event stream works.
    public var relistPeriod: Duration

    public init(
        nodeName: String,
        root: String,
        manifests: String,
        podLogs: String,
        containerLogs: String,
        cgroupRoot: String = "/",
        makesPodCgroups: Bool = true,
        clusterDNS: [String] = [],
        clusterDomain: String = "cluster.local",
        resolverFile: String = "/etc/resolv.conf",
        hostsFile: String = "/etc/hosts",
        nodeAddresses: [String] = [],
        imagesDirectory: String = "",
        relistPeriod: Duration = .seconds(300)
    ) {
        self.nodeName = nodeName
        self.root = root
        self.manifests = manifests
        self.podLogs = podLogs
        self.containerLogs = containerLogs
        self.cgroupRoot = cgroupRoot
        self.makesPodCgroups = makesPodCgroups
        self.clusterDNS = clusterDNS
        self.clusterDomain = clusterDomain
        self.resolverFile = resolverFile
        self.hostsFile = hostsFile
        self.nodeAddresses = nodeAddresses
        self.imagesDirectory = imagesDirectory
        self.relistPeriod = relistPeriod
    }
}
