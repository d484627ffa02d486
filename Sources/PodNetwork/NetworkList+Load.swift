import JSON
import Linux
import Logging

extension NetworkList {
    /// The network of a node: the first valid file of the directory by name, or the default network if there is none.
    ///
    /// A file that can't be read is passed over with a warning, as long as a later one can; if all are bad, the first
    /// one's error is thrown: an administrator who wrote a network doesn't want another one.
    static func load(_ configuration: NetworkConfiguration, logger: Logger) throws(NetworkError) -> NetworkList {
        var failure: NetworkError?
        for name in files(configuration.confDir) {
            let path = configuration.confDir + "/" + name
            do throws(NetworkError) {
                return try read(path)
            } catch {
                logger.warning(
                    "a network configuration is passed over", metadata: ["file": "\(path)", "error": "\(error.reason)"])
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return try standard(configuration)
    }

    private static func files(_ directory: String) -> [String] {
        // No directory is the same as an empty one.
        let names = (try? Directory.names(directory)) ?? []
        return names.filter { $0.hasSuffix(".conflist") || $0.hasSuffix(".conf") || $0.hasSuffix(".json") }.sorted()
    }

    private static func read(_ path: String) throws(NetworkError) -> NetworkList {
        do {
            return try NetworkList(JSONValue.parse(try File.read(path, limit: 1 << 20)), file: path)
        } catch let error as JSONError {
            throw NetworkError(.configuration, reason: "\(path): \(error)")
        } catch let error as NetworkError {
            throw error
        } catch {
            throw NetworkError(.configuration, reason: "\(error)")
        }
    }

    /// The network that a node makes up: a bridge of its own with addresses from its range.
    ///
    /// Packets to the world are masqueraded by `Masquerade`, once a node, and not by the bridge plugin's `ipMasq`, which
    /// runs iptables several times a pod (32 of 48 ms) and leaves its rules behind when the namespace is gone first.
    static func standard(_ configuration: NetworkConfiguration) throws(NetworkError) -> NetworkList {
        guard Subnet(configuration.podCIDR) != nil else {
            throw NetworkError(
                .configuration, reason: "pod CIDR '\(configuration.podCIDR)' is no IPv4 range like 10.88.0.0/16")
        }
        guard !configuration.bridge.isEmpty, configuration.bridge.utf8.count <= 15, isName(configuration.bridge) else {
            throw NetworkError(
                .configuration, reason: "'\(configuration.bridge)' can't be a bridge's name: 1 to 15 letters and digits"
            )
        }
        var bridge: JSONValue = [
            "type": "bridge", "bridge": .string(configuration.bridge), "isGateway": true, "ipMasq": false,
            "hairpinMode": true,
            "ipam": [
                "type": "host-local", "dataDir": .string(configuration.dataDir),
                "ranges": [[["subnet": .string(configuration.podCIDR)]]], "routes": [["dst": "0.0.0.0/0"]],
            ],
        ]
        if let mtu = configuration.mtu { bridge["mtu"] = .int(Int64(mtu)) }
        let portmap: JSONValue = ["type": "portmap", "capabilities": ["portMappings": true], "snat": true]
        return try NetworkList(
            [
                "cniVersion": "1.0.0", "name": .string(configuration.bridge), "plugins": [bridge, portmap],
            ], file: nil)
    }

    /// Whether it is the one that `standard` makes.
    var isStandard: Bool { file == nil }
}
