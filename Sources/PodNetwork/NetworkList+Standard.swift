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

    /// The plugins that have something to do for a sandbox.
    ///
    /// In the default network those that only serve a capability are left out where nothing is asked of it: a process and 3 ms
    /// each. With a network that somebody else wrote every plugin runs.
    func plugins(for arguments: PluginArguments) -> [JSONValue] {
        guard isStandard else { return plugins }
        return plugins.filter { $0["capabilities"] == nil || arguments.runtimeConfig(for: $0) != nil }
    }

    /// The programs that every pod needs.
    var essentialPrograms: [String] {
        isStandard ? programs.filter { $0 != "bandwidth" } : programs
    }
}
