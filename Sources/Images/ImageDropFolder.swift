import Glibc
import Logging

/// Watches a directory and imports, pinned, each tarball that is dropped in, once it is complete.
///
/// A file that is refused is reported once, and again when it has changed. A file that was imported before is not read
/// again by the next start, as long as its images are there. Removing the file does not remove its images: that is for
/// ``ImageStore/remove(_:)``.
public struct ImageDropFolder: Sendable {
    /// What became of a file in the directory; `file` is its path.
    public enum Event: Sendable {
        case progress(file: String, ImageProgress)
        case loaded(file: String, [ImageRecord])
        case refused(file: String, ImageError)
        /// All files that were there at the start have been dealt with.
        case ready
    }

    public let directory: String
    private let store: ImageStore
    private let observe: @Sendable (Event) -> Void
    private let session: DropSession

    /// - Parameters:
    ///   - directory: made when it's missing
    ///   - observe: called from any thread
    public init(
        directory: String, store: ImageStore, logger: Logger, observe: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.directory = directory
        self.store = store
        self.observe = observe
        session = DropSession(directory: directory, store: store, logger: logger, observe: observe)
    }

    /// Reads every tarball whose images are not all there once more, while ``run()`` runs.
    public func lookAgain() async { await session.considerAll() }

    /// Imports what is there, then what comes, until the task is cancelled.
    ///
    /// - Throws: when the directory can't be watched
    public func run() async throws(ImageError) {
        let watch = try await store.runBlocking(about: directory) { [directory] () throws(ImportFailure) in
            try FolderWatch(directory)
        }
        defer { watch.stop() }
        await session.begin()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await session.considerAll()
                if !Task.isCancelled { observe(.ready) }
            }
            for await event in watch.events {
                switch event {
                case .file(let name): group.addTask { await session.consider(name) }
                case .everything: group.addTask { await session.considerAll() }
                }
            }
            // Cancelled, or the directory can't be had any more: what is being imported stops too.
            group.cancelAll()
        }
        if !Task.isCancelled {
            throw .failed(step: "watch", path: directory, reason: "the directory is gone and can't be made again")
        }
    }
}

/// One run of a drop folder: which files are at work, and what is known of the others.
private actor DropSession {
    private let directory: String
    private let store: ImageStore
    private let logger: Logger
    private let observe: @Sendable (ImageDropFolder.Event) -> Void
    private var records = DropRecords()
    /// Files that were refused as they are; nothing is said about them twice.
    private var refused: [String: DroppedFile.Identity] = [:]
    private var atWork: Set<String> = []
    private var changedMeanwhile: Set<String> = []
    private var isWriting = false
    private var needsWriting = false

    init(
        directory: String, store: ImageStore, logger: Logger,
        observe: @escaping @Sendable (ImageDropFolder.Event) -> Void
    ) {
        self.directory = directory
        self.store = store
        self.logger = logger
        self.observe = observe
    }

    /// Reads what earlier runs imported. Without it everything is only read once more.
    func begin() async {
        let path = store.dropRecords
        let read = try? await store.runBlocking(about: path) { () throws(ImportFailure) in
            try readRecord(DropRecords.self, from: path)
        }
        if let read, read.version == 1 { records = read }
    }

    func considerAll() async {
        let directory = directory
        let names: [String]
        do throws(ImageError) {
            names = try await store.runBlocking(about: directory) { () throws(ImportFailure) in
                let opened = try OpenFile.directory(directory)
                return try TreeRemoval.names(in: opened.fd, path: directory).map { name in
                    String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                }
            }
        } catch {
            logger.error("Cannot read the images directory", metadata: ["error": "\(error)"])
            return
        }
        let present = Set(names.map(path))
        records.files = records.files.filter { !$0.key.hasPrefix(directory + "/") || present.contains($0.key) }
        await withDiscardingTaskGroup { group in
            for name in names.sorted() { group.addTask { await self.consider(name) } }
        }
    }

    func consider(_ name: String) async {
        guard !DroppedFile.isTemporary(name) else { return }
        guard atWork.insert(name).inserted else {
            changedMeanwhile.insert(name)
            return
        }
        repeat {
            changedMeanwhile.remove(name)
            await importFile(path(name))
        } while changedMeanwhile.contains(name) && !Task.isCancelled
        atWork.remove(name)
    }

    private func path(_ name: String) -> String { directory + "/" + name }

    private func importFile(_ path: String) async {
        do throws(ImageError) {
            let file = try await store.runBlocking(about: path) { () throws(ImportFailure) in try DroppedFile.look(path)
            }
            switch file {
            case .gone, .beingWritten: return
            case .notAFile: throw .refused(tarball: path, entry: nil, reason: "not a regular file")
            case .complete(let identity):
                if refused[path] == identity { return }
                if await isImported(path, identity) { return }
                try await load(path, identity)
            }
        } catch {
            if Task.isCancelled { return }
            report(path, error)
        }
    }

    private func isImported(_ path: String, _ identity: DroppedFile.Identity) async -> Bool {
        guard let entry = records.files[path], entry.identity == identity else { return false }
        for image in entry.images {
            guard await store.find(image) != nil else { return false }
        }
        return true
    }

    private func load(_ path: String, _ identity: DroppedFile.Identity) async throws(ImageError) {
        let observe = observe
        do throws(ImageError) {
            let images = try await store.load(tarball: path, pinned: true) { observe(.progress(file: path, $0)) }
            refused[path] = nil
            records.files[path] = DropRecords.Entry(identity: identity, images: images.map(\.id))
            await writeRecords()
            logger.info(
                "Imported an image tarball",
                metadata: [
                    "file": "\(path)", "images": "\(images.map { $0.repoTags.first ?? $0.id }.joined(separator: ", "))",
                ])
            observe(.loaded(file: path, images))
        } catch {
            if case .refused = error {
                // Whoever writes into it again will close it again, or it is gone: no reason to complain.
                let now = try? await store.runBlocking(about: path) { () throws(ImportFailure) in
                    try DroppedFile.look(path)
                }
                guard case .complete(let current) = now, current == identity else { return }
                // Only the file's own fault is remembered: a full disk may be mended without touching the file.
                refused[path] = identity
            }
            throw error
        }
    }

    private func report(_ path: String, _ error: ImageError) {
        logger.warning("Refused an image tarball", metadata: ["error": "\(error)"])
        observe(.refused(file: path, error))
    }

    /// One at a time; what changes meanwhile is written by whoever writes already.
    private func writeRecords() async {
        needsWriting = true
        guard !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        while needsWriting {
            needsWriting = false
            let (records, path) = (records, store.dropRecords)
            do throws(ImageError) {
                try await store.runBlocking(about: path) { () throws(ImportFailure) in
                    try writeRecord(records, to: path)
                }
            } catch {
                logger.warning(
                    "Cannot note which tarballs were imported: the next start reads them again",
                    metadata: ["error": "\(error)"])
            }
        }
    }
}
