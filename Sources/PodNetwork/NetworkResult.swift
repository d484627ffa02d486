/// What a pod got from its network.
public struct NetworkResult: Sendable, Hashable {
    /// An address of the pod's interface.
    public struct Address: Sendable, Hashable {
        /// With its prefix: `10.88.0.7/16`.
        public var cidr: String
        public var gateway: String?

        public init(cidr: String, gateway: String? = nil) {
            self.cidr = cidr
            self.gateway = gateway
        }

        /// Without its prefix: `10.88.0.7`.
        public var ip: String { String(cidr.prefix { $0 != "/" }) }
    }

    /// What the plugins made, on the pod's side and on the host's.
    public struct Interface: Sendable, Hashable {
        public var name: String
        public var mac: String
        /// The network namespace; empty on the host's side.
        public var sandbox: String
        public var addresses: [Address]
    }

    /// The pod's addresses, the primary one first.
    public var addresses: [Address]
    /// The hardware address of the pod's interface, if the plugins told it.
    public var mac: String?
    /// Name servers, search domains and options that the plugins gave.
    public var nameservers: [String]
    public var searchDomains: [String]
    public var dnsOptions: [String]
    /// The network's name.
    public var network: String
    /// Every interface that the plugins named, in their order.
    public var interfaces: [Interface]

    public init(
        addresses: [Address], mac: String? = nil, nameservers: [String] = [], searchDomains: [String] = [],
        dnsOptions: [String] = [], network: String = "", interfaces: [Interface] = []
    ) {
        self.addresses = addresses
        self.mac = mac
        self.nameservers = nameservers
        self.searchDomains = searchDomains
        self.dnsOptions = dnsOptions
        self.network = network
        self.interfaces = interfaces
    }

    /// The primary address without its prefix.
    public var ip: String? { addresses.first?.ip }
    /// Every address without its prefix, the primary one first.
    public var ips: [String] { addresses.map(\.ip) }
}
