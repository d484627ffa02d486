import JSON

extension NetworkList {
    /// The network that a node makes up: a bridge of its own with addresses from its ranges, one of each family.
    ///
    /// Packets to the world are masqueraded by ``Firewall``, once a node, and not by the bridge plugin's `ipMasq`, which
    /// runs iptables several times a pod (32 of 48 ms) and leaves its rules behind when the namespace is gone first.
    static func standard(_ configuration: NetworkConfiguration, _ ranges: [Subnet]) throws(NetworkError) -> NetworkList
    {
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
                "ranges": .array(ranges.map { [["subnet": .string($0.text)]] }),
                "routes": .array(ranges.map { ["dst": .string($0.family.everything)] }),
            ],
        ]
        if let mtu = configuration.mtu { bridge["mtu"] = .int(Int64(mtu)) }
        let portmap: JSONValue = ["type": "portmap", "capabilities": ["portMappings": true], "snat": true]
        let bandwidth: JSONValue = ["type": "bandwidth", "capabilities": ["bandwidth": true]]
        return try NetworkList(
            [
                "cniVersion": "1.0.0", "name": .string(configuration.bridge),
                "plugins": .array([bridge, portmap, bandwidth]),
            ], file: nil)
    }

    /// Whether it is the one that `standard` makes.
    var isStandard: Bool { file == nil }

    /// The plugins that have something to do for a sandbox, in order.
    ///
    /// Left out is one of the CNI project's plugins that only serve a capability, where nothing is asked of it: what ADD of it
    /// would do is to repeat the result before it, and DEL would look for what was never made, a process and 3 to 20 ms
    /// each. It is the same for a sandbox's whole life, since what is asked is a part of its record.
    func plugins(for arguments: PluginArguments) -> [JSONValue] {
        plugins.enumerated().filter { $0.offset == 0 || !NetworkList.isIdle($0.element, for: arguments) }.map(\.element)
    }

    /// portmap maps the ports, and bandwidth shapes by the rates, of `runtimeConfig` (their pages at cni.dev); bandwidth's may
    /// stand in the configuration, too.
    private static func isIdle(_ plugin: JSONValue, for arguments: PluginArguments) -> Bool {
        guard let type = plugin["type"]?.stringValue,
            let own = ["portmap": [], "bandwidth": ["ingressRate", "egressRate"]][type]
        else { return false }
        return arguments.runtimeConfig(for: plugin) == nil && (own + ["runtimeConfig"]).allSatisfy { plugin[$0] == nil }
    }

    /// The programs that every pod needs.
    var essentialPrograms: [String] {
        isStandard ? programs.filter { $0 != "bandwidth" } : programs
    }
}
