import CLinux
import FoundationEssentials
import Glibc
import Logging

/// The unpacked layers, each once, by chain id; counted by who uses them, and gone when nobody does.
///
/// Nobody waits for the disk: a layer is used as soon as it is unpacked. Its `layer.json` names the boot that it was
/// unpacked in until one sync of the filesystem has come after it; a later boot doesn't trust such a layer and removes it,
/// as it does with one that has no record at all.
final class LayerStore: @unchecked Sendable {
    private struct Record: Codable {
        var version = 1
        var diffID: Digest
        var bytes: UInt64
        var inodes: UInt64
        /// nil once the layer is on the disk for certain.
        var boot: String?
    }

    private struct Layer {
        var diffID: Digest
        var size: DiskUsage
        var users = 0
        var isDurable: Bool

        func record(boot: String?) -> Record {
            Record(diffID: diffID, bytes: size.bytes, inodes: size.inodes, boot: boot)
        }
    }

    private enum State {
        case unpacking
        case ready(Layer)
    }

    private let workspace: Workspace
    private let logger: Logger
    private let boot: String
    // Guarded by `mutex`; `changed` tells of the end of an unpacking.
    private var states: [Digest: State] = [:]
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ workspace: Workspace, logger: Logger) throws(ImportFailure) {
        self.workspace = workspace
        self.logger = logger
        let id = try readFile("/proc/sys/kernel/random/boot_id", limit: 4096) ?? []
        boot = String(decoding: id.prefix { $0 > 0x20 }, as: UTF8.self)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        let directory = try OpenFile.directory(workspace.layers)
        for name in try TreeRemoval.names(in: directory.fd, path: workspace.layers) {
            let text = name.withUnsafeBufferPointer { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) }
            if let chainID = Digest(hex: text), let layer = try read(chainID) {
                states[chainID] = .ready(layer)
            } else {
                logger.info("Removing a layer that was not finished", metadata: ["layer": "\(text)"])
                try workspace.discard(workspace.layers + "/" + text)
            }
        }
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// The directory that overlayfs stacks.
    func tree(_ chainID: Digest) -> String { "\(workspace.layers)/\(chainID.hex)/fs" }

    /// Makes sure that the layer is there and counts one more user of it.
    ///
    /// - Parameters:
    ///   - cancellation: ends the waiting for somebody else's unpacking; ``wake()`` makes it look
    ///   - unpack: fills the directory that it gets; runs at most once for all who want the layer
    /// - Returns: whether `unpack` ran
    func acquire(
        _ chainID: Digest, diffID: Digest, _ cancellation: ImportCancellation,
        unpack: (_ directory: String) throws(ImportFailure) -> Void
    ) throws(ImportFailure) -> Bool {
        pthread_mutex_lock(mutex)
        var lost = 0
        while let state = states[chainID] {
            if cancellation.isCancelled { break }
            switch state {
            case .ready(let layer) where access(tree(chainID), F_OK) != 0:
                // Somebody took it away; those who use it get it back.
                logger.warning("A layer was removed behind the store's back", metadata: ["layer": "\(chainID)"])
                lost = layer.users
                states[chainID] = nil
            case .ready(var layer):
                layer.users += 1
                states[chainID] = .ready(layer)
                pthread_mutex_unlock(mutex)
                return false
            case .unpacking: pthread_cond_wait(changed, mutex)
            }
        }
        guard !cancellation.isCancelled else {
            pthread_mutex_unlock(mutex)
            throw .cancelled
        }
        states[chainID] = .unpacking
        pthread_mutex_unlock(mutex)
        do throws(ImportFailure) {
            // What is left of it would be in the way.
            if lost > 0 { discardQuietly("\(workspace.layers)/\(chainID.hex)") }
            var layer = try make(chainID, diffID, unpack: unpack)
            layer.users += lost
            settle(chainID, .ready(layer))
        } catch {
            settle(chainID, nil)
            throw error
        }
        return true
    }

    /// Has those look who wait for somebody else's unpacking: they may have been cancelled.
    func wake() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    private func make(
        _ chainID: Digest, _ diffID: Digest, unpack: (String) throws(ImportFailure) -> Void
    ) throws(ImportFailure) -> Layer {
        let temporary = try workspace.makeLayer()
        do throws(ImportFailure) {
            let tree = temporary + "/fs"
            try checkErrno(mkdir(tree, 0o755), "mkdir", tree)
            try unpack(tree)
            var size = try TreeUsage.measure(temporary)
            // Its record, which is written next.
            size.bytes += 4096
            size.inodes += 1
            let layer = Layer(diffID: diffID, size: size, users: 1, isDurable: false)
            try writeRecord(layer.record(boot: boot), to: temporary + "/layer.json")
            let final = "\(workspace.layers)/\(chainID.hex)"
            try checkErrno(rename(temporary, final), "rename", final)
            return layer
        } catch {
            discardQuietly(temporary)
            throw error
        }
    }

    private func settle(_ chainID: Digest, _ state: State?) {
        pthread_mutex_lock(mutex)
        states[chainID] = state
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Counts one more user of layers that are there: an image or a snapshot found at the start, or a new snapshot.
    ///
    /// - Returns: the first that isn't there, and then none is counted
    func retain(_ chainIDs: [Digest]) -> Digest? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var retained = states
        for chainID in chainIDs {
            guard case .ready(var layer) = retained[chainID], access(tree(chainID), F_OK) == 0 else { return chainID }
            layer.users += 1
            retained[chainID] = .ready(layer)
        }
        states = retained
        return nil
    }

    /// Counts one user less; who was the last takes the layer along.
    func release(_ chainIDs: [Digest]) {
        pthread_mutex_lock(mutex)
        for chainID in chainIDs {
            guard case .ready(var layer) = states[chainID] else { continue }
            layer.users -= 1
            states[chainID] = .ready(layer)
        }
        pthread_mutex_unlock(mutex)
        collect(chainIDs)
    }

    /// Removes those layers (or all) that have no user.
    func collect(_ chainIDs: [Digest]? = nil) {
        pthread_mutex_lock(mutex)
        var unused: [Digest] = []
        for chainID in chainIDs ?? Array(states.keys) {
            guard case .ready(let layer) = states[chainID], layer.users <= 0 else { continue }
            states[chainID] = .unpacking
            unused.append(chainID)
        }
        pthread_mutex_unlock(mutex)
        for chainID in unused {
            discardQuietly("\(workspace.layers)/\(chainID.hex)")
            settle(chainID, nil)
        }
    }

    /// Clean-up never hides what went wrong before it; the next start tries again.
    private func discardQuietly(_ path: String) {
        do throws(ImportFailure) {
            try workspace.discard(path)
        } catch {
            logger.warning("Could not remove a layer", metadata: ["error": "\(error.imageError(tarball: path))"])
        }
    }

    /// Writes the filesystem to the disk and notes it in the records of the layers that were there before. May take as long
    /// as the disk has work of anybody's.
    func makeDurable() throws(ImportFailure) {
        pthread_mutex_lock(mutex)
        let pending = states.compactMap { chainID, state -> (Digest, Layer)? in
            guard case .ready(let layer) = state, !layer.isDurable else { return nil }
            return (chainID, layer)
        }
        pthread_mutex_unlock(mutex)
        guard !pending.isEmpty else { return }
        let directory = try OpenFile.directory(workspace.layers)
        try check(sys_syncfs(directory.fd), "sync", workspace.layers)
        for (chainID, layer) in pending {
            pthread_mutex_lock(mutex)
            guard case .ready(var current) = states[chainID] else {
                // Removed meanwhile.
                pthread_mutex_unlock(mutex)
                continue
            }
            current.isDurable = true
            states[chainID] = .ready(current)
            // Under the lock, so that no removal comes between; it is one small file that nobody syncs.
            let result = Result { () throws(ImportFailure) in
                try writeRecord(layer.record(boot: nil), to: recordPath(chainID))
            }
            pthread_mutex_unlock(mutex)
            try result.get()
        }
    }

    /// What the layers take together, each with its directory and its record.
    func size(_ chainIDs: [Digest]? = nil) -> DiskUsage {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var total = DiskUsage()
        for chainID in chainIDs ?? Array(states.keys) {
            guard case .ready(let layer) = states[chainID] else { continue }
            total.bytes += layer.size.bytes
            total.inodes += layer.size.inodes
        }
        return total
    }

    private func recordPath(_ chainID: Digest) -> String { "\(workspace.layers)/\(chainID.hex)/layer.json" }

    /// nil when the layer is not whole.
    private func read(_ chainID: Digest) throws(ImportFailure) -> Layer? {
        var status = stat()
        guard lstat(tree(chainID), &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            let record = try readRecord(Record.self, from: recordPath(chainID)), record.version == 1,
            record.boot == nil || record.boot == boot
        else { return nil }
        return Layer(
            diffID: record.diffID, size: DiskUsage(bytes: record.bytes, inodes: record.inodes),
            isDurable: record.boot == nil)
    }
}

/// Writes a record of the store's as JSON, whole or not at all.
func writeRecord(_ record: some Encodable, to path: String) throws(ImportFailure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes: [UInt8]
    do {
        bytes = Array(try encoder.encode(record))
    } catch {
        throw .failed(step: "encode", path: path, reason: "\(error)")
    }
    try replaceFile(path, with: bytes)
}

/// nil when the file isn't there or isn't such a record.
func readRecord<Record: Decodable>(_ type: Record.Type, from path: String) throws(ImportFailure) -> Record? {
    guard let bytes = try readFile(path, limit: 16 << 20) else { return nil }
    // A damaged record is as good as none: the caller says what follows from that.
    return try? JSONDecoder().decode(type, from: Data(bytes))
}
