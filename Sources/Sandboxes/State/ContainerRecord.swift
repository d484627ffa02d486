import CRI
import JSON

/// What the engine must not forget about a container: a row of the state database.
struct ContainerRecord: Sendable, Equatable {
    /// Where in its life the container is. The record is written before a step makes anything.
    enum Stage: String, Sendable {
        /// Being made: after a crash, whatever there is of it is taken away.
        case making
        case created
        /// Between the record and the shim's word that the process runs: after a crash the shim decides.
        case starting
        case running
        case exited
        /// Being removed: after a crash, the removal is finished.
        case removing
    }

    static let version: Int64 = 1

    var id: ContainerID
    var sandbox: SandboxID
    var config: CRIContainerConfig
    var stage: Stage
    /// `sha256:…` of the image's configuration.
    var imageID: String
    /// What the kubelet may pin: a digest reference where there is one, else the id.
    var imageRef: String
    var createdAtNanoseconds: Int64
    var startedAtNanoseconds: Int64 = 0
    var finishedAtNanoseconds: Int64 = 0
    var exitCode: Int32 = 0
    var reason = ""
    var message = ""
    var pid: Int32 = 0
    var stopSignal: Int32
    var user: ResolvedUser
    var cgroupsPath: String
    /// Absolute; empty when the output is thrown away.
    var logPath: String
    /// Host directories of the image's volumes, below the container's own directory.
    var volumes: [String: String] = [:]
    /// The ids of the images that are volumes, by container path.
    var imageVolumes: [String: String] = [:]

    /// The name that is reserved: one container a name and attempt in a sandbox.
    var key: String { Self.key(config.metadata, sandbox: sandbox) }

    static func key(_ metadata: CRIContainerMetadata, sandbox: SandboxID) -> String {
        "\(metadata.name)_\(metadata.attempt)_\(sandbox.text)"
    }
}

extension ContainerRecord {
    /// All but the config, as JSON.
    func document() -> String {
        let value: JSONValue = [
            "version": .int(Self.version), "id": .string(id.text),
            "sandbox": .string(sandbox.text), "stage": .string(stage.rawValue), "imageID": .string(imageID),
            "imageRef": .string(imageRef), "createdAt": .int(createdAtNanoseconds),
            "startedAt": .int(startedAtNanoseconds), "finishedAt": .int(finishedAtNanoseconds),
            "exitCode": .int(Int64(exitCode)), "reason": .string(reason), "message": .string(message),
            "pid": .int(Int64(pid)), "stopSignal": .int(Int64(stopSignal)), "uid": .int(Int64(user.uid)),
            "gid": .int(Int64(user.gid)), "groups": .array(user.groups.map { .int(Int64($0)) }),
            "home": user.home.map(JSONValue.string) ?? .null, "cgroupsPath": .string(cgroupsPath),
            "logPath": .string(logPath),
            "volumes": Self.document(volumes), "imageVolumes": Self.document(imageVolumes),
        ]
        return String(decoding: value.encoded(pretty: false), as: UTF8.self)
    }

    private static func document(_ texts: [String: String]) -> JSONValue {
        .object(
            JSONObject(
                texts.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }))
    }

    /// Reads one; the error says what is wrong in words that fit behind its id.
    init(_ row: RecordRow) throws(RecordError) {
        guard let id = ContainerID(row.id) else { throw RecordError("its id is none") }
        let document = try RecordDocument(row.record, version: Self.version, id: row.id)
        self.id = id
        guard let owner = SandboxID(try document.text("sandbox")) else { throw RecordError("sandbox is no id") }
        sandbox = owner
        stage = try document.choice("stage")
        imageID = try document.text("imageID")
        imageRef = try document.text("imageRef")
        createdAtNanoseconds = try document.int("createdAt")
        startedAtNanoseconds = try document.int("startedAt")
        finishedAtNanoseconds = try document.int("finishedAt")
        exitCode = try document.int32("exitCode")
        reason = try document.text("reason")
        message = try document.text("message")
        pid = try document.int32("pid")
        stopSignal = try document.int32("stopSignal")
        guard let uid = UInt32(exactly: try document.int("uid")), let gid = UInt32(exactly: try document.int("gid"))
        else { throw RecordError("uid or gid is not 32 bits") }
        let groups = document.value["groups"]?.arrayValue?.compactMap { $0.intValue.flatMap { UInt32(exactly: $0) } }
        user = ResolvedUser(uid: uid, gid: gid, groups: groups ?? [], home: document.value["home"]?.stringValue)
        cgroupsPath = try document.text("cgroupsPath")
        logPath = try document.text("logPath")
        for member in document.value["volumes"]?.objectValue?.members ?? [] {
            volumes[member.key] = member.value.stringValue
        }
        for member in document.value["imageVolumes"]?.objectValue?.members ?? [] {
            imageVolumes[member.key] = member.value.stringValue
        }
        config = try row.message()
    }
}
