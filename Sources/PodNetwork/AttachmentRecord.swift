import JSON
import Linux

/// What is known on disk of a sandbox on the network: enough to take it off after any crash, and whatever became of the
/// configuration.
///
/// The document is that of the CNI library's cache (`cniCacheV1`), so that other tools which know it can read what is
/// attached; what is ours stands beside it under `kubesim`.
struct AttachmentRecord: Sendable, Hashable {
    enum Phase: String, Sendable {
        /// Plugins may have run; what they did is unknown.
        case attaching
        /// All plugins ran.
        case attached
    }

    static let kind = "cniCacheV1"
    static let version: Int64 = 2

    var phase: Phase
    var arguments: PluginArguments
    /// The configuration that was used, which may have changed on disk since.
    var list: NetworkList
    /// The last plugin's result; nil while attaching.
    var result: JSONValue?

    init(phase: Phase, arguments: PluginArguments, list: NetworkList, result: JSONValue? = nil) {
        self.phase = phase
        self.arguments = arguments
        self.list = list
        self.result = result
    }

    var json: JSONValue {
        var ours: JSONValue = ["version": .int(AttachmentRecord.version), "phase": .string(phase.rawValue)]
        ours["file"] = list.file.map { .string($0) }
        var value: JSONValue = [
            "kind": .string(AttachmentRecord.kind), "containerId": .string(arguments.sandbox),
            "config": .string(Base64.encode(list.json.encoded(pretty: false))), "ifName": .string(arguments.interface),
            "networkName": .string(list.name), "netns": .string(arguments.netns),
            "cniArgs": .array(arguments.words.map { [.string($0.key), .string($0.value)] }),
            "capabilityArgs": .object(arguments.capabilities), "kubesim": ours,
        ]
        value["result"] = result
        return value
    }

    init(_ value: JSONValue, path: String) throws(NetworkError) {
        func wrong(_ reason: String) -> NetworkError { NetworkError(.host, reason: "\(path): \(reason)") }
        func text(_ key: String) throws(NetworkError) -> String {
            guard let text = value[key]?.stringValue, !text.isEmpty else { throw wrong("\(key) is missing") }
            return text
        }
        guard value["kind"]?.stringValue == AttachmentRecord.kind,
            value["kubesim"]?["version"]?.intValue == AttachmentRecord.version
        else { throw wrong("the record is of another kind or version") }
        guard let phase = value["kubesim"]?["phase"]?.stringValue.flatMap(Phase.init(rawValue:)) else {
            throw wrong("phase is unknown")
        }
        self.phase = phase
        var words: [PluginArguments.Word] = []
        for pair in value["cniArgs"]?.arrayValue ?? [] {
            guard let key = pair[0]?.stringValue, let word = pair[1]?.stringValue else {
                throw wrong("cniArgs can't be read")
            }
            words.append(PluginArguments.Word(key: key, value: word))
        }
        arguments = PluginArguments(
            sandbox: try text("containerId"), netns: try text("netns"), interface: try text("ifName"), words: words,
            capabilities: value["capabilityArgs"]?.objectValue ?? JSONObject())
        guard let bytes = Base64.decode(try text("config")), let config = try? JSONValue.parse(bytes) else {
            throw wrong("config can't be read")
        }
        list = try NetworkList(config, file: value["kubesim"]?["file"]?.stringValue)
        result = value["result"]
    }
}
