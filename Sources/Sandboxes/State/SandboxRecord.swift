import CRI
import JSON

/// What the engine must not forget about a sandbox: a row of the state database.
struct SandboxRecord: Sendable, Equatable {
    /// Where in its life the sandbox is. The record is written before a step makes anything.
    enum Stage: String, Sendable {
        /// Being made: after a crash, whatever there is of it is taken away.
        case making
        case ready
        /// Its processes and network are gone (or going: stopping again is harmless); its record and files remain.
        case stopped
    }

    static let version: Int64 = 1

    var id: SandboxID
    var config: CRIPodSandboxConfig
    var runtimeHandler: String
    var stage: Stage
    var createdAtNanoseconds: Int64
    /// The pod's network namespace on the host; nil with the host's network.
    var netns: String?
    /// The network has been, or is about to be, asked for addresses: it must be told to take them back.
    var networkAttached = false
    var addresses: [String] = []
    /// The plugins' result, for people.
    var networkResult: JSONValue?
    var pausePID: Int32 = 0

    /// The name that is reserved: one sandbox a name, namespace, uid and attempt.
    var key: String { Self.key(config.metadata) }

    /// A config as it was asked for: what `UpdatePodSandboxResources` changes later is left out.
    static func withoutLimits(_ config: CRIPodSandboxConfig) -> CRIPodSandboxConfig {
        var config = config
        config.linux.clearOverhead()
        config.linux.clearResources()
        return config
    }

    static func key(_ metadata: CRIPodSandboxMetadata) -> String {
        "\(metadata.name)_\(metadata.namespace)_\(metadata.uid)_\(metadata.attempt)"
    }
}

extension SandboxRecord {
    /// All but the config, as JSON.
    func document() -> String {
        var value: JSONValue = [
            "version": .int(Self.version), "id": .string(id.text), "stage": .string(stage.rawValue),
            "createdAt": .int(createdAtNanoseconds), "runtimeHandler": .string(runtimeHandler),
            "pausePID": .int(Int64(pausePID)), "networkAttached": .bool(networkAttached),
            "addresses": .array(addresses.map(JSONValue.string)),
        ]
        if let netns { value["netns"] = .string(netns) }
        if let networkResult { value["networkResult"] = networkResult }
        return String(decoding: value.encoded(pretty: false), as: UTF8.self)
    }

    /// Reads one; the error says what is wrong in words that fit behind its id.
    init(_ row: RecordRow) throws(RecordError) {
        guard let id = SandboxID(row.id) else { throw RecordError("its id is none") }
        let document = try RecordDocument(row.record, version: Self.version, id: row.id)
        self.id = id
        stage = try document.choice("stage")
        createdAtNanoseconds = try document.int("createdAt")
        runtimeHandler = try document.text("runtimeHandler")
        pausePID = try document.int32("pausePID")
        networkAttached = document.value["networkAttached"]?.boolValue ?? false
        addresses = document.value["addresses"]?.arrayValue?.compactMap(\.stringValue) ?? []
        netns = document.value["netns"]?.stringValue
        networkResult = document.value["networkResult"]
        config = try row.message()
        if let netns, !netns.hasPrefix("/") || netns.split(separator: "/").contains("..") {
            throw RecordError("netns is no absolute path")
        }
    }
}
