import Glibc
import JSON
import Linux
import Logging

extension PodNetwork {
    /// Whether pods can be put on the network, else what is missing and how to mend it. Those who ask at once get one answer.
    public func status() async -> NetworkStatus {
        if let looking { return await looking.value }
        let task = Task {
            let status = await look()
            looking = nil
            return status
        }
        looking = task
        return await task.value
    }

    private func look() async -> NetworkStatus {
        do throws(NetworkError) {
            try await changeRanges()
            let list = try await currentList()
            let missing = list.essentialPrograms.filter { runner.find($0) == nil }
            guard missing.isEmpty else {
                throw NetworkError(.pluginMissing, reason: PluginRunner.missing(missing, in: configuration.binDirs))
            }
            try await refuseOtherVersions(list)
            let message = list.isStandard ? try await standardStatus() : ""
            if list.version >= .garbageCollection { try await askPlugins(list) }
            return NetworkStatus(
                ready: true, message: message, network: list.name, file: list.file, document: document([list]))
        } catch {
            return NetworkStatus(
                ready: false, reason: "NetworkPluginNotReady",
                message: error.plugin.isEmpty ? error.reason : error.description, document: document([]))
        }
    }

    /// A plugin that doesn't speak the network's version would fail for every pod.
    private func refuseOtherVersions(_ list: NetworkList) async throws(NetworkError) {
        for plugin in list.plugins {
            guard let type = plugin["type"]?.stringValue, runner.find(type) != nil,
                let spoken = try await versions.versions(of: type), !spoken.contains(list.version)
            else { continue }
            throw NetworkError(
                .configuration, plugin: type, network: list.name,
                reason: "it doesn't speak cniVersion \(list.version.text), only "
                    + spoken.sorted().map(\.text).joined(separator: ", "))
        }
    }

    /// STATUS of every plugin (CNI 1.1.0).
    private func askPlugins(_ list: NetworkList) async throws(NetworkError) {
        for plugin in list.plugins {
            try await runner.run(Invocation(.status, plugin: plugin, of: list, binDirs: configuration.binDirs))
        }
    }

    private func standardStatus() async throws(NetworkError) -> String {
        let ranges = try await ranges()
        for range in ranges { try refuseOverlap(range) }
        guard let failure = await keepRules(ranges, evenIfJustSeen: true)?.value else { return "" }
        return "pods can't reach beyond this host: " + failure
    }

    private func document(_ lists: [NetworkList]) -> JSONValue {
        let networks = lists.map { list -> JSONValue in
            let plugins = list.plugins.map { plugin -> JSONValue in
                ["Network": plugin, "Source": .string(String(decoding: plugin.encoded(pretty: false), as: UTF8.self))]
            }
            return [
                "Config": [
                    "CNIVersion": .string(list.version.text), "Name": .string(list.name), "Plugins": .array(plugins),
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
    private func refuseOverlap(_ pods: Subnet) throws(NetworkError) {
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
                reason: "pod CIDR \(pods.text) overlaps with \(subnet.text) of interface \(name); "
                    + "give this node another range (--pod-cidr)")
        }
    }
}

extension Subnet {
    /// The range of an interface's address; nil for other families and for single addresses.
    init?(_ interface: ifaddrs) {
        guard let (family, address) = Subnet.address(interface.ifa_addr),
            let (_, mask) = Subnet.address(interface.ifa_netmask)
        else { return nil }
        self.init(family, address, prefix: mask.reduce(0) { $0 + $1.nonzeroBitCount })
    }

    private static func address(_ address: UnsafeMutablePointer<sockaddr>?) -> (Family, [UInt8])? {
        guard let address else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                (.ipv4, withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) })
            }
        case AF_INET6:
            return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                (.ipv6, withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) })
            }
        default: return nil
        }
    }
}
