import JSON

/// What plugins are told of a sandbox, in the form in which it is told, and kept for DEL (CNI 1.1.0, section 2, Parameters,
/// and section 3, Deriving runtimeConfig).
struct PluginArguments: Sendable, Hashable {
    /// CNI_CONTAINERID.
    var sandbox: String
    /// CNI_NETNS.
    var netns: String
    /// CNI_IFNAME.
    var interface: String
    /// CNI_ARGS, in order.
    var words: [Word]
    /// Capability arguments by capability: what a plugin that declares the capability gets as `runtimeConfig`.
    var capabilities: JSONObject

    struct Word: Sendable, Hashable {
        var key: String
        var value: String
    }

    /// `namespace/name`, for people.
    var pod: String { (word("K8S_POD_NAMESPACE") ?? "") + "/" + (word("K8S_POD_NAME") ?? sandbox) }

    func word(_ key: String) -> String? { words.first { $0.key == key }?.value }

    /// CNI_ARGS: words with `=` and `;` between them.
    var text: String { words.map { $0.key + "=" + $0.value }.joined(separator: ";") }
}

extension PluginArguments {
    /// The names are those that containerd and CRI-O use, so that plugins find what they look for.
    init(_ attachment: Attachment) {
        sandbox = attachment.sandbox
        netns = attachment.netns
        interface = attachment.interface
        words = [
            Word(key: "IgnoreUnknown", value: "1"), Word(key: "K8S_POD_NAMESPACE", value: attachment.podNamespace),
            Word(key: "K8S_POD_NAME", value: attachment.podName),
            Word(key: "K8S_POD_INFRA_CONTAINER_ID", value: attachment.sandbox),
            Word(key: "K8S_POD_UID", value: attachment.podUID),
        ]
        capabilities = JSONObject()
        if !attachment.portMappings.isEmpty {
            capabilities["portMappings"] = .array(attachment.portMappings.map(\.json))
        }
        capabilities["bandwidth"] = attachment.bandwidth?.json
        capabilities["dns"] = attachment.dns?.json
        if !attachment.annotations.isEmpty {
            let sorted = attachment.annotations.sorted { $0.key < $1.key }
            capabilities["io.kubernetes.cri.pod-annotations"] = .object(
                JSONObject(sorted.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }))
        }
        if let parent = attachment.cgroupParent, !parent.isEmpty { capabilities["cgroupPath"] = .string(parent) }
    }

    /// The arguments that a plugin has declared that it can use; nil for none.
    func runtimeConfig(for plugin: JSONValue) -> JSONValue? {
        let declared = plugin["capabilities"]?.objectValue ?? JSONObject()
        let wanted = capabilities.filter { declared[$0.key]?.boolValue == true }
        return wanted.isEmpty ? nil : .object(JSONObject(wanted))
    }
}

extension PortMapping {
    fileprivate var json: JSONValue {
        var value: JSONValue = [
            "hostPort": .int(Int64(hostPort)), "containerPort": .int(Int64(containerPort)),
            "protocol": .string(transport.rawValue),
        ]
        if let hostIP, !hostIP.isEmpty { value["hostIP"] = .string(hostIP) }
        return value
    }
}

extension Bandwidth {
    /// The burst that containerd and the kubelet's own driver used: as large as the plugin takes.
    private static let burst = JSONValue.int(Int64(UInt32.max))

    fileprivate var json: JSONValue {
        var value = JSONObject()
        if let ingress {
            value["ingressRate"] = .int(Int64(clamping: ingress))
            value["ingressBurst"] = Bandwidth.burst
        }
        if let egress {
            value["egressRate"] = .int(Int64(clamping: egress))
            value["egressBurst"] = Bandwidth.burst
        }
        return .object(value)
    }
}

extension PodDNS {
    fileprivate var json: JSONValue {
        func texts(_ list: [String]) -> JSONValue? { list.isEmpty ? nil : .array(list.map(JSONValue.string)) }
        var value = JSONObject()
        value["servers"] = texts(servers)
        value["searches"] = texts(searches)
        value["options"] = texts(options)
        return .object(value)
    }
}
