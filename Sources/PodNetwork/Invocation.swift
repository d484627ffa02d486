import JSON

/// One run of a plugin, decided before it happens: what it gets on standard input and in its environment (CNI 1.1.0,
/// sections 2 and 4).
struct Invocation: Sendable, Hashable {
    enum Verb: String, Sendable { case add = "ADD", del = "DEL", check = "CHECK" }

    /// The program's name.
    var plugin: String
    var verb: Verb
    /// The plugin's execution configuration.
    var config: JSONValue
    /// `CNI_…` variables.
    var environment: [String: String]

    /// - Parameters:
    ///   - netns: empty when it is gone, which only DEL may be told.
    ///   - previous: the result that the plugin builds on (ADD), or the network's last one (DEL, CHECK).
    init(
        _ verb: Verb, plugin: JSONValue, of list: NetworkList, for attachment: Attachment, netns: String,
        previous: JSONValue?, binDirs: [String]
    ) {
        self.verb = verb
        self.plugin = plugin["type"]?.stringValue ?? ""
        var config = plugin
        config["cniVersion"] = .string(list.version)
        config["name"] = .string(list.name)
        config["prevResult"] = previous
        config["runtimeConfig"] = Invocation.runtimeConfig(plugin, attachment)
        config["capabilities"] = nil
        self.config = config
        environment = [
            "CNI_COMMAND": verb.rawValue,
            "CNI_CONTAINERID": attachment.sandbox,
            "CNI_NETNS": netns,
            "CNI_IFNAME": attachment.interface,
            "CNI_PATH": binDirs.joined(separator: ":"),
            "CNI_ARGS": [
                "IgnoreUnknown=1", "K8S_POD_NAMESPACE=\(attachment.podNamespace)", "K8S_POD_NAME=\(attachment.podName)",
                "K8S_POD_INFRA_CONTAINER_ID=\(attachment.sandbox)", "K8S_POD_UID=\(attachment.podUID)",
            ].joined(separator: ";"),
        ]
    }

    /// What the plugin has said that it can use (`capabilities`) and the pod asks for.
    private static func runtimeConfig(_ plugin: JSONValue, _ attachment: Attachment) -> JSONValue? {
        guard plugin["capabilities"]?["portMappings"]?.boolValue == true, !attachment.portMappings.isEmpty else {
            return nil
        }
        let mappings: [JSONValue] = attachment.portMappings.map { mapping in
            var value: JSONValue = [
                "hostPort": .int(Int64(mapping.hostPort)), "containerPort": .int(Int64(mapping.containerPort)),
                "protocol": .string(mapping.transport.rawValue),
            ]
            if let hostIP = mapping.hostIP, !hostIP.isEmpty { value["hostIP"] = .string(hostIP) }
            return value
        }
        return ["portMappings": .array(mappings)]
    }
}

extension NetworkList {
    /// The plugins that have something to do for a sandbox.
    ///
    /// In the default network the port mapper is left out where there is no port to map; with a network that somebody
    /// else wrote every plugin runs.
    func plugins(for attachment: Attachment) -> [JSONValue] {
        guard isStandard, attachment.portMappings.isEmpty else { return plugins }
        return plugins.filter { $0["type"]?.stringValue != "portmap" }
    }
}
