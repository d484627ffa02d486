import GRDB
import Linux
import Logging

/// The engine's records: a row an object in one database, `<root>/state.db`.
///
/// A record is saved before what it speaks of is made, and forgotten after the last of it is gone; what has happened by itself
/// is noted without anybody waiting for it.
final class RecordStore: Sendable {
    private let file: StateFile
    private let writer: StateWriter
    private let reader: RecordReader
    /// What was wrong with the database that was put aside; nil when it was whole.
    let damage: String?
    /// What images' volumes hold, a folder a container; and, from before there was the database, a folder a sandbox.
    private let folders: (sandboxes: String, containers: String)

    /// Opens the database. Blocking.
    ///
    /// - Throws: `StateError` that names the file and what to do.
    init(root: String, logger: Logger) throws {
        file = StateFile(path: root + "/state.db", aside: root + "/corrupt")
        folders = (root + "/sandboxes", root + "/containers")
        let database: DatabaseQueue
        (database, damage) = try file.open(logger: logger)
        reader = RecordReader(database: database, file: file)
        writer = StateWriter(database, file: file, logger: logger)
        do throws(SystemError) {
            try file.reserve()
        } catch {
            logger.warning("a full disk may keep pods from being removed", metadata: ["reason": "\(error)"])
        }
    }

    /// Writes a record and returns when it can't be lost any more by the node's death.
    func save(_ record: SandboxRecord) async throws { try await writer.commit(.sandbox(record)) }
    func save(_ record: ContainerRecord) async throws { try await writer.commit(.container(record)) }

    /// Has a record written after those before it.
    func note(_ record: SandboxRecord) { writer.post(.sandbox(record)) }
    func note(_ record: ContainerRecord) { writer.post(.container(record)) }

    /// Takes an object's folder away, then its record.
    func forget(_ id: SandboxID) async throws {
        let folder = "\(folders.sandboxes)/\(id.text)"
        try await Blocking.run { try Directory.removeTree(folder) }
        try await writer.commit(.withoutSandbox(id))
    }

    func forget(_ id: ContainerID) async throws {
        let folder = "\(folders.containers)/\(id.text)"
        try await Blocking.run { try Directory.removeTree(folder) }
        try await writer.commit(.withoutContainer(id))
    }

    /// Everything that can be read; what can't is put aside, so that one bad record stops nothing and nobody trips over it
    /// twice. Blocking.
    ///
    /// - Throws: `StateError` when the database itself can't be read.
    func readAll(logger: Logger) throws -> RecordContents {
        var contents = try reader.readAll(logger: logger)
        contents.lostSandboxes += Self.names(folders.sandboxes).compactMap { SandboxID($0) }
        contents.lostContainers += Self.names(folders.containers).compactMap { ContainerID($0) }
        return contents
    }

    /// Writes what is pending and lets go of the file: from now on it may be another engine's.
    func close() async { await writer.close() }

    /// Removes everything. After ``close()``. Blocking.
    func remove() throws(SystemError) {
        try file.remove()
        for folder in [folders.sandboxes, folders.containers, file.aside] { try Directory.removeTree(folder) }
    }

    private static func names(_ folder: String) -> [String] { (try? Directory.names(folder)) ?? [] }
}

/// What the database holds at a start.
struct RecordContents: Sendable {
    var sandboxes: [SandboxRecord] = []
    var containers: [ContainerRecord] = []
    /// Ids whose leftovers are to be cleared, if no record speaks for them.
    var lostSandboxes: [SandboxID] = []
    var lostContainers: [ContainerID] = []
    var unreadable: [Unreadable] = []
}

/// A record that was put aside, and why.
struct Unreadable: Sendable, Equatable {
    /// `sandbox` or `container`.
    var kind: String
    var id: String
    var reason: String
}
