import Glibc
import Logging
import Synchronization

/// One image on the disk, in `images/<id>.json`.
struct StoredImage: Codable, Sendable {
    var version = 1
    var id: Digest
    /// `docker.io/library/busybox:latest`, sorted.
    var tags: [String]
    /// `docker.io/library/busybox@sha256:…`, sorted.
    var digests: [String]
    var pinned: Bool
    var config: ImageConfig
    var size: UInt64
    var diffIDs: [Digest]
    var chainIDs: [Digest]
    /// The blobs that belong to the image.
    var documents: [Digest]

    var record: ImageRecord {
        ImageRecord(
            id: "\(id)", repoTags: tags, repoDigests: digests, size: size, config: config, pinned: pinned,
            layers: diffIDs.map(\.description))
    }
}

/// The images by id and by name. Looking up is for anyone, at any time; changes are made by one thread, which writes them
/// to the disk before anybody sees them.
final class ImageCatalog: Sendable {
    private let workspace: Workspace
    private let layers: LayerStore
    private let content: ContentStore
    private let logger: Logger
    private let images: Mutex<[Digest: StoredImage]>

    /// Reads what is there. An image whose record or layers are damaged is reported and removed: it can be loaded again.
    init(_ workspace: Workspace, _ layers: LayerStore, logger: Logger) throws(ImportFailure) {
        self.workspace = workspace
        self.layers = layers
        self.content = ContentStore(workspace)
        self.logger = logger
        var found: [(image: StoredImage, written: timespec)] = []
        let directory = try OpenFile.directory(workspace.images)
        for name in try TreeRemoval.names(in: directory.fd, path: workspace.images) {
            let file = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let path = workspace.images + "/" + file
            guard let id = Digest(hex: file.prefix { $0 != "." }), file == id.hex + ".json" else {
                if file.hasSuffix(".new") { unlink(path) }
                continue
            }
            guard let image = try readRecord(StoredImage.self, from: path), image.version == 1, image.id == id else {
                logger.error("An image's record is damaged: load the image again", metadata: ["file": "\(path)"])
                unlink(path)
                continue
            }
            if let missing = layers.retain(image.chainIDs) {
                logger.error(
                    "An image's layer is gone: load the image again",
                    metadata: ["image": "\(image.tags.first ?? "\(id)")", "layer": "\(missing)"])
                unlink(path)
                continue
            }
            var status = stat()
            try checkErrno(lstat(path, &status), "stat", path)
            found.append((image, status.st_mtim))
        }
        found.sort { ($0.written.tv_sec, $0.written.tv_nsec) < ($1.written.tv_sec, $1.written.tv_nsec) }
        let images = try Self.settled(found.map(\.image), in: workspace, logger: logger)
        self.images = Mutex(Dictionary(uniqueKeysWithValues: images.map { ($0.id, $0) }))
    }

    /// A name means one image, and a process that is killed while a name moves leaves it with both: the one that was written
    /// last has it.
    private static func settled(
        _ images: [StoredImage], in workspace: Workspace, logger: Logger
    ) throws(ImportFailure) -> [StoredImage] {
        var taken: Set<String> = []
        var settled: [StoredImage] = []
        for var image in images.reversed() {
            let kept = image.tags.filter { taken.insert($0).inserted }
            if kept != image.tags {
                logger.notice(
                    "A name has moved to another image",
                    metadata: ["image": "\(image.id)", "names": "\(image.tags.filter { !kept.contains($0) })"])
                image.tags = kept
                if kept.isEmpty { image.pinned = false }
                try writeRecord(image, to: path(image.id, in: workspace))
            }
            settled.append(image)
        }
        return settled
    }

    // MARK: Looking up

    func list() -> [StoredImage] {
        images.withLock { images in
            images.values.sorted { ($0.tags.first ?? "~", $0.id.hex) < ($1.tags.first ?? "~", $1.id.hex) }
        }
    }

    /// By name, `name@digest`, digest, id, or the beginning of one id.
    func find(_ reference: String) -> StoredImage? {
        images.withLock { images in
            if let id = Digest(reference) ?? Digest(hex: reference) {
                return images[id] ?? images.values.first { $0.digests.contains { $0.hasSuffix("@\(id)") } }
            }
            // Text that is no reference may still be the beginning of an id.
            if let wanted = try? ImageReference(reference), let image = Self.find(wanted, in: images) { return image }
            let prefix = reference.hasPrefix("sha256:") ? reference.dropFirst(7) : reference[...]
            guard !prefix.isEmpty else { return nil }
            let matches = images.values.filter { $0.id.hex.hasPrefix(prefix) }
            return matches.count == 1 ? matches[0] : nil
        }
    }

    private static func find(_ wanted: ImageReference, in images: [Digest: StoredImage]) -> StoredImage? {
        if let digest = wanted.digest {
            let name = "\(wanted.name)@\(digest)"
            return images.values.first { $0.digests.contains(name) }
        }
        let name = wanted.description
        return images.values.first { $0.tags.contains(name) }
    }

    // MARK: Changing; one thread only

    /// Takes imported images over, with the use of their layers that each of them brings.
    func add(_ imported: [ImportedImage], pinned: Bool) throws(ImportFailure) -> [ImageRecord] {
        var records: [ImageRecord] = []
        for (index, image) in imported.enumerated() {
            do throws(ImportFailure) {
                records.append(try add(image, pinned: pinned).record)
            } catch {
                for rest in imported[index...] { layers.release(rest.chainIDs) }
                throw error
            }
        }
        return records
    }

    private func add(_ imported: ImportedImage, pinned: Bool) throws(ImportFailure) -> StoredImage {
        let before = images.withLock { $0 }
        let known = before[imported.id]
        var image =
            known
            ?? StoredImage(
                id: imported.id, tags: [], digests: [], pinned: false, config: imported.config, size: 0,
                diffIDs: imported.diffIDs, chainIDs: imported.chainIDs, documents: [])
        image.tags = Set(image.tags + imported.names.filter { $0.tag != nil }.map { "\($0.name):\($0.tag ?? "")" })
            .sorted()
        image.digests = Set(image.digests + imported.names.map { "\($0.name)@\(imported.target)" }).sorted()
        image.pinned = image.pinned || pinned
        image.size = layers.size(image.chainIDs).bytes + UInt64(imported.documents.reduce(0) { $0 + $1.bytes.count })
        image.documents = Array(Set(image.documents + imported.documents.map(\.digest))).sorted { $0.hex < $1.hex }
        for document in imported.documents { try content.put(document.bytes, as: document.digest) }
        try writeRecord(image, to: path(image.id))
        // A name means one image: whoever had it before is left without, and nobody pinned that.
        var moved: [StoredImage] = []
        for other in before.values where other.id != image.id && !Set(other.tags).isDisjoint(with: image.tags) {
            var other = other
            other.tags.removeAll { image.tags.contains($0) }
            if other.tags.isEmpty { other.pinned = false }
            try writeRecord(other, to: path(other.id))
            moved.append(other)
        }
        images.withLock { images in
            images[image.id] = image
            for other in moved { images[other.id] = other }
        }
        // The image was there and holds its layers already.
        if known != nil { layers.release(imported.chainIDs) }
        return image
    }

    /// Takes a name away, and the image with its last tag; by id or digest the image with all its names.
    func remove(_ reference: String) throws(ImportFailure) -> Bool {
        guard var image = find(reference) else { return false }
        if let wanted = try? ImageReference(reference), wanted.digest == nil, image.tags.contains(wanted.description) {
            // No reference: an id, which means the whole image.
            image.tags.removeAll { $0 == wanted.description }
            if !image.tags.isEmpty {
                let prefix = wanted.name + ":"
                if !image.tags.contains(where: { $0.hasPrefix(prefix) }) {
                    image.digests.removeAll { $0.hasPrefix(wanted.name + "@") }
                }
                try writeRecord(image, to: path(image.id))
                let changed = image
                images.withLock { $0[changed.id] = changed }
                return true
            }
        }
        try checkErrno(unlink(path(image.id)), "remove", path(image.id))
        let id = image.id
        images.withLock { $0[id] = nil }
        layers.release(image.chainIDs)
        try collectContent()
        return true
    }

    /// Removes blobs that belong to no image.
    func collectContent() throws(ImportFailure) {
        let wanted = images.withLock { images in Set(images.values.flatMap(\.documents)) }
        try content.keep(only: wanted)
    }

    func configDocument(_ reference: String) throws(ImportFailure) -> [UInt8]? {
        guard let image = find(reference) else { return nil }
        return try content.get(image.id)
    }

    private func path(_ id: Digest) -> String { Self.path(id, in: workspace) }

    private static func path(_ id: Digest, in workspace: Workspace) -> String { "\(workspace.images)/\(id.hex).json" }
}
