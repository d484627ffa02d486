import Logging

/// The node's images: content by digest, layers unpacked once, and the containers' root filesystems on top of them.
///
/// Everything lies below one root directory, and is rebuilt from it at the start:
/// `content/blobs/sha256/…`, `layers/<chain id>/fs`, `snapshots/<container>/{upper,work}`, `images/….json`.
public actor ImageStore {
    public nonisolated let root: String
    private let logger: Logger

    /// Opens the store, makes its directories, and takes away what an interrupted import left.
    public init(root: String, logger: Logger) async throws {
        self.root = root
        self.logger = logger
    }

    /// Imports the images of a `docker save` or OCI layout archive; when it is refused, nothing of it is kept.
    public func load(
        tarball path: String, pinned: Bool = false, progress: (@Sendable (ImageProgress) -> Void)? = nil
    ) async throws(ImageError) -> [ImageRecord] {
        throw .failed(step: "import", path: path, reason: "not built yet")
    }

    /// All images, by their first name.
    public func list() -> [ImageRecord] { [] }

    /// The image that a name, `name@digest`, digest, id or unambiguous beginning of an id stands for.
    public func find(_ reference: String) -> ImageRecord? { nil }

    /// Takes a name away; with the last name (or by id) the image goes, and the layers that nothing else uses.
    public func remove(_ reference: String) async throws(ImageError) {
        throw .notFound(reference: reference)
    }

    /// Mounts a writable root filesystem for `container` on the directory `target`.
    public func mountRootfs(
        image: ImageRecord, container: String, at target: String, readOnly: Bool = false
    ) async throws(ImageError) -> Snapshot {
        throw .failed(step: "mount", path: target, reason: "not built yet")
    }

    /// Unmounts it; not mounted is success.
    public func unmountRootfs(container: String, at target: String) async throws(ImageError) {}

    /// Removes what the container wrote; not there is success.
    public func removeSnapshot(container: String) async throws(ImageError) {}

    /// What the container has written; nil when there is no such snapshot.
    public func usage(container: String) async throws(ImageError) -> DiskUsage? { nil }

    /// The store's share of its filesystem.
    public func filesystemUsage() async throws(ImageError) -> FilesystemUsage {
        throw .failed(step: "measure", path: root, reason: "not built yet")
    }

    /// Removes what nothing refers to: interrupted imports, layers without image and snapshot, unreferenced content.
    public func collectGarbage() async throws(ImageError) {}
}
