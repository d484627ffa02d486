import Glibc
import Linux
import Logging

/// The engine's records on disk: one folder an object, one JSON file in it, replaced atomically.
struct RecordStore: Sendable {
    /// Folders of sandboxes and containers, and where unreadable records are put aside.
    let sandboxes: String
    let containers: String
    let aside: String

    init(root: String) {
        sandboxes = root + "/sandboxes"
        containers = root + "/containers"
        aside = root + "/corrupt"
    }

    func makeDirectories() throws(SystemError) {
        for folder in [sandboxes, containers] { try Directory.make(folder, mode: 0o700) }
    }

    func directory(_ id: SandboxID) -> String { "\(sandboxes)/\(id.text)" }
    func directory(_ id: ContainerID) -> String { "\(containers)/\(id.text)" }

    func write(_ record: SandboxRecord) throws {
        try Directory.make(directory(record.id), mode: 0o700)
        try AtomicFile.write(directory(record.id) + "/sandbox.json", try record.encoded(), mode: 0o600)
    }

    func write(_ record: ContainerRecord) throws {
        try Directory.make(directory(record.id), mode: 0o700)
        try AtomicFile.write(directory(record.id) + "/container.json", try record.encoded(), mode: 0o600)
    }

    /// The record goes first: a folder without one is a leftover that the next start takes away.
    func remove(_ id: SandboxID) throws(SystemError) {
        try File.remove(directory(id) + "/sandbox.json")
        try Directory.removeTree(directory(id))
    }

    func remove(_ id: ContainerID) throws(SystemError) {
        try File.remove(directory(id) + "/container.json")
        try Directory.removeTree(directory(id))
    }

    /// Everything that can be read; what can't is put aside, so that one bad file stops nothing and nobody trips over
    /// it twice. `lost` are the ids whose leftovers are to be cleared.
    struct Contents: Sendable {
        var sandboxes: [SandboxRecord] = []
        var containers: [ContainerRecord] = []
        var lostSandboxes: [SandboxID] = []
        var lostContainers: [ContainerID] = []
    }

    func readAll(logger: Logger) -> Contents {
        var contents = Contents()
        for name in names(sandboxes, logger: logger) {
            guard let id = SandboxID(name) else { continue }
            let path = directory(id) + "/sandbox.json"
            switch read(path, { bytes throws(RecordError) in try SandboxRecord(bytes, id: id) }) {
            case .success(let record?): contents.sandboxes.append(record)
            case .success(nil): contents.lostSandboxes.append(id)
            case .failure(let error):
                putAside(path, as: "sandbox-\(id.text).json", because: error, logger: logger)
                contents.lostSandboxes.append(id)
            }
        }
        for name in names(containers, logger: logger) {
            guard let id = ContainerID(name) else { continue }
            let path = directory(id) + "/container.json"
            switch read(path, { bytes throws(RecordError) in try ContainerRecord(bytes, id: id) }) {
            case .success(let record?): contents.containers.append(record)
            case .success(nil): contents.lostContainers.append(id)
            case .failure(let error):
                putAside(path, as: "container-\(id.text).json", because: error, logger: logger)
                contents.lostContainers.append(id)
            }
        }
        return contents
    }

    private func names(_ folder: String, logger: Logger) -> [String] {
        do {
            return try Directory.names(folder).sorted()
        } catch {
            logger.error("records can't be listed", metadata: ["path": "\(folder)", "reason": "\(error.errno)"])
            return []
        }
    }

    /// Nil when there is no file: the object was being made or removed.
    private func read<Record>(
        _ path: String, _ parse: ([UInt8]) throws(RecordError) -> Record
    ) -> Result<Record?, RecordError> {
        do {
            return .success(try parse(try File.read(path, limit: 16 << 20)))
        } catch let error as SystemError where error.errno == .noEntry {
            return .success(nil)
        } catch let error as RecordError {
            return .failure(error)
        } catch {
            return .failure(RecordError("\(error)"))
        }
    }

    private func putAside(_ path: String, as name: String, because error: RecordError, logger: Logger) {
        let target = "\(aside)/\(name)"
        var kept = target
        do {
            try Directory.make(aside, mode: 0o700)
            try File.rename(path, target)
        } catch {
            kept = "not kept: \(error)"
        }
        logger.error(
            """
            a record can't be read: its pod is cleared away and starts anew from its manifest; nothing is left to mend, \
            the file was moved aside for whoever wants to look
            """,
            metadata: ["path": "\(path)", "reason": "\(error)", "aside": "\(kept)"])
    }
}
