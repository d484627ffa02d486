import JSON
import Linux

/// What is known on disk of a sandbox on the network: enough to take it off after any crash.
struct AttachmentRecord: Sendable, Hashable {
    enum Phase: String, Sendable {
        /// Plugins may have run; what they did is unknown.
        case attaching
        /// All plugins ran.
        case attached
    }

    static let version: Int64 = 1

    var phase: Phase
    var attachment: Attachment
    /// The configuration that was used, which may have changed on disk since.
    var list: NetworkList
    /// The last plugin's result; nil while attaching.
    var result: JSONValue?

    var json: JSONValue {
        var value: JSONValue = [
            "version": .int(AttachmentRecord.version), "phase": .string(phase.rawValue),
            "sandbox": .string(attachment.sandbox), "netns": .string(attachment.netns),
            "podNamespace": .string(attachment.podNamespace), "podName": .string(attachment.podName),
            "podUID": .string(attachment.podUID), "interface": .string(attachment.interface),
            "portMappings": .array(attachment.portMappings.map(\.json)), "network": list.json,
        ]
        value["file"] = list.file.map { .string($0) }
        value["result"] = result
        return value
    }

    init(phase: Phase, attachment: Attachment, list: NetworkList, result: JSONValue? = nil) {
        self.phase = phase
        self.attachment = attachment
        self.list = list
        self.result = result
    }

    init(_ value: JSONValue, path: String) throws(NetworkError) {
        func wrong(_ reason: String) -> NetworkError {
            NetworkError(.host, reason: "\(path): \(reason)")
        }
        guard value["version"]?.intValue == AttachmentRecord.version else {
            throw wrong("the record is of another version of kubesim")
        }
        func text(_ key: String) throws(NetworkError) -> String {
            guard let text = value[key]?.stringValue else { throw wrong("\(key) is missing") }
            return text
        }
        guard let phase = Phase(rawValue: try text("phase")) else { throw wrong("phase is unknown") }
        self.phase = phase
        var mappings: [PortMapping] = []
        for mapping in value["portMappings"]?.arrayValue ?? [] {
            guard let read = PortMapping(mapping) else { throw wrong("portMappings can't be read") }
            mappings.append(read)
        }
        attachment = Attachment(
            sandbox: try text("sandbox"), netns: try text("netns"), podNamespace: try text("podNamespace"),
            podName: try text("podName"), podUID: try text("podUID"), portMappings: mappings,
            interface: try text("interface"))
        list = try NetworkList(value["network"] ?? .null, file: value["file"]?.stringValue)
        result = value["result"]
    }
}

extension PortMapping {
    var json: JSONValue {
        var value: JSONValue = [
            "hostPort": .int(Int64(hostPort)), "containerPort": .int(Int64(containerPort)),
            "protocol": .string(transport.rawValue),
        ]
        value["hostIP"] = hostIP.map { .string($0) }
        return value
    }

    init?(_ value: JSONValue) {
        guard let host = value["hostPort"]?.uintValue.flatMap({ UInt16(exactly: $0) }),
            let container = value["containerPort"]?.uintValue.flatMap({ UInt16(exactly: $0) }),
            let transport = value["protocol"]?.stringValue.flatMap(TransportProtocol.init(rawValue:))
        else { return nil }
        self.init(hostPort: host, containerPort: container, transport: transport, hostIP: value["hostIP"]?.stringValue)
    }
}
