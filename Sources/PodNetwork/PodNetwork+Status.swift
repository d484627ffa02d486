import Glibc
import JSON
import Linux
import Logging

extension PodNetwork {
    /// Whether pods can be put on the network, else what is missing and how to mend it.
    public func status() async -> NetworkStatus {
        do throws(NetworkError) {
            let list = try NetworkList.load(configuration, logger: logger)
            let missing = list.programs.filter { runner.find($0) == nil }
            guard missing.isEmpty else {
                throw NetworkError(.pluginMissing, reason: PluginRunner.missing(missing, in: configuration.binDirs))
            }
            var message = ""
            if list.isStandard {
                try refuseOverlap()
                if let failure = await keepRules().value { message = "pods can't reach beyond this host: " + failure }
            }
            return NetworkStatus(
                ready: true, message: message, network: list.name, file: list.file, document: document([list]))
        } catch {
            return NetworkStatus(
                ready: false, reason: "NetworkPluginNotReady", message: error.reason, document: document([]))
        }
    }

    private func document(_ lists: [NetworkList]) -> JSONValue {
        let networks = lists.map { list -> JSONValue in
            let plugins = list.plugins.map { plugin -> JSONValue in
                ["Network": plugin, "Source": .string(String(decoding: plugin.encoded(pretty: false), as: UTF8.self))]
            }
            return [
                "Config": [
                    "CNIVersion": .string(list.version), "Name": .string(list.name), "Plugins": .array(plugins),
                    "Source": .string(String(decoding: list.json.encoded(pretty: false), as: UTF8.self)),
                ],
                "IFName": "eth0",
            ]
        }
        return [
            "Networks": .array(networks), "PluginConfDir": .string(configuration.confDir),
            "PluginDirs": .array(configuration.binDirs.map(JSONValue.string)), "PluginMaxConfNum": 1, "Prefix": "eth",
        ]
    }

    /// Two interfaces with one range: packets to pods would go the other way.
    private func refuseOverlap() throws(NetworkError) {
        guard let pods = Subnet(configuration.podCIDR) else { return }
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return }
        defer { freeifaddrs(list) }
        var entry = list
        while let interface = entry?.pointee {
            entry = interface.ifa_next
            let name = String(cString: interface.ifa_name)
            guard name != configuration.bridge, let subnet = Subnet(interface), pods.overlaps(subnet) else { continue }
            throw NetworkError(
                .configuration,
                reason: "pod CIDR \(configuration.podCIDR) overlaps with \(subnet.text) of interface \(name); "
                    + "give this node another range (--pod-cidr)")
        }
    }
}

extension Subnet {
    /// The IPv4 range of an interface's address; nil for other families and for single addresses.
    init?(_ interface: ifaddrs) {
        guard let address = Subnet.ipv4(interface.ifa_addr), let mask = Subnet.ipv4(interface.ifa_netmask) else {
            return nil
        }
        let prefix = mask.nonzeroBitCount
        guard (1...30).contains(prefix) else { return nil }
        self.prefix = prefix
        first = address & mask
    }

    private static func ipv4(_ address: UnsafeMutablePointer<sockaddr>?) -> UInt32? {
        guard let address, address.pointee.sa_family == sa_family_t(AF_INET) else { return nil }
        return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            UInt32(bigEndian: $0.pointee.sin_addr.s_addr)
        }
    }
}
