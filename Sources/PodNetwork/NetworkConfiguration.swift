/// Where a node's network comes from, and where it keeps what it must not forget.
public struct NetworkConfiguration: Sendable, Hashable {
    /// Where an administrator's configuration is looked for (`*.conflist`, `*.conf`, `*.json`, the first by name).
    public var confDir: String
    /// Where plugins are looked for, in order.
    public var binDirs: [String]
    /// Ours: what was attached, with the plugins' results, so that it can be detached after a restart.
    public var cacheDir: String
    /// Ours: the addresses that host-local gave out, for the default network.
    public var dataDir: String
    /// The pods' addresses in the default network: a range, or one of each family with a comma between them, the primary
    /// first.
    public var podCIDR: String
    /// An IPv6 range that pods get addresses of, too, where `podCIDR` is one of IPv4 and this host has IPv6.
    public var podCIDR6: String?
    /// The bridge of the default network; at most 15 bytes, one a node.
    public var bridge: String
    /// The maximum transmission unit of the default network; nil leaves it to the plugin.
    public var mtu: Int?
    /// After how long a plugin is killed.
    public var pluginDeadline: Duration

    public init(
        confDir: String = "/etc/cni/net.d", binDirs: [String] = ["/opt/cni/bin", "/usr/lib/cni"],
        cacheDir: String = "/var/lib/kubesim/network/results", dataDir: String = "/var/lib/kubesim/network/addresses",
        podCIDR: String = "10.88.0.0/16", podCIDR6: String? = nil, bridge: String = "kubesim0", mtu: Int? = nil,
        pluginDeadline: Duration = .seconds(30)
    ) {
        self.confDir = confDir
        self.binDirs = binDirs
        self.cacheDir = cacheDir
        self.dataDir = dataDir
        self.podCIDR = podCIDR
        self.podCIDR6 = podCIDR6
        self.bridge = bridge
        self.mtu = mtu
        self.pluginDeadline = pluginDeadline
    }
}

extension NetworkConfiguration {
    /// Whether ``podCIDR`` is a range, or one of each family, that pods can have addresses of.
    public var hasGoodPodCIDR: Bool { Subnet.list(podCIDR) != nil }
}
