import CMalloc
import Glibc
import Logging

/// The node's images: content by digest, layers unpacked once, and the containers' root filesystems on top of them.
///
/// Everything lies below one root directory, and is rebuilt from it at the start:
/// `content/blobs/sha256/…`, `content/images/….json`, `layers/<chain id>/fs`, `snapshots/<container>/{upper,work}`. The
/// directory may be shared with others who keep to other names in it.
/// One process at a time may have it open.
public actor ImageStore {
    public nonisolated let root: String
    let limits: ImageLimits
    let registries: RegistryConfiguration
    nonisolated let pulls: ImagePulls
    private nonisolated let workspace: Workspace
    let layers: LayerStore
    let catalog: ImageCatalog
    private let snapshots: SnapshotStore
    /// Imports, which take long.
    private let heavy = BlockingPool(name: "image-import", threads: 2)
    /// Removals of what containers wrote, which can be much.
    private let removals = BlockingPool(name: "image-remove", threads: 2)
    /// Mounts and measurements, which don't wait behind an import.
    let light = BlockingPool(name: "image-mount", threads: 2)
    /// Changes of the catalog, one after the other.
    let changes = BlockingPool(name: "image-catalog", threads: 1)
    /// Waits for the disk, so that nobody else has to.
    private let syncs = BlockingPool(name: "image-sync", threads: 1)
    let logger: Logger

    /// Opens the store and makes its directories; what an interrupted import left is taken away meanwhile.
    ///
    /// - Parameter registries: where images are pulled from
    public init(
        root: String, logger: Logger, limits: ImageLimits = ImageLimits(),
        registries: RegistryConfiguration = RegistryConfiguration()
    ) async throws(ImageError) {
        self.root = root
        self.limits = limits
        self.registries = registries
        pulls = ImagePulls(limit: registries.pulls)
        self.logger = logger
        let opened = try await light.run { () throws(ImageError) in
            do throws(ImportFailure) {
                let workspace = try Workspace(root: root, logger: logger)
                let layers = try LayerStore(workspace, logger: logger)
                let catalog = try ImageCatalog(workspace, layers, logger: logger)
                let snapshots = try SnapshotStore(workspace, layers, logger: logger)
                layers.collect()
                try catalog.collectContent()
                return (workspace, layers, catalog, snapshots)
            } catch {
                throw error.imageError(tarball: root)
            }
        }
        (workspace, layers, catalog, snapshots) = opened
        removeLeftoversInBackground()
        syncInBackground()
    }

    private func removeLeftoversInBackground() {
        let workspace = workspace
        inBackground(removals, "What an interrupted import left can't be removed; the next start tries again") {
            () throws(ImportFailure) in try workspace.removeLeftovers()
        }
    }

    /// An image is used as soon as it is unpacked; that it survives a power cut comes later.
    func syncInBackground() {
        let layers = layers
        inBackground(syncs, "Images may have to be imported again after a power cut") { () throws(ImportFailure) in
            // The buffers of a moment ago would lie in the heap for as long as the node runs.
            malloc_trim(0)
            try layers.makeDurable()
        }
    }

    /// Has work done that nobody waits for; its failure is told with what it means.
    private func inBackground(
        _ pool: BlockingPool, _ complaint: Logger.Message, _ work: @escaping @Sendable () throws(ImportFailure) -> Void
    ) {
        let logger = logger
        pool.post {
            do throws(ImportFailure) {
                try work()
            } catch {
                logger.warning(complaint, metadata: ["error": "\(error.imageError(tarball: ""))"])
            }
        }
    }

    /// Imports the images of a `docker save` or OCI layout archive, plain or compressed with gzip or zstd.
    ///
    /// The tarball is read whole and each digest in it verified, also where its layers are there already. When it is
    /// refused, nothing of it is kept. A name that another image had moves to the new one.
    ///
    /// - Parameters:
    ///   - pinned: keeps the image from being collected
    ///   - progress: called from the thread that imports, every few megabytes
    /// - Returns: the images in the tarball's order
    public func load(
        tarball path: String, pinned: Bool = false, progress: (@Sendable (ImageProgress) -> Void)? = nil
    ) async throws(ImageError) -> [ImageRecord] {
        let work = TarballImport(
            workspace: workspace, layers: layers, limits: limits, progress: progress ?? { _ in })
        let heavy = heavy
        let outcome = await withTaskCancellationHandler {
            await heavy.run { Result { () throws(ImportFailure) in try work.run(path) } }
        } onCancel: {
            work.cancellation.cancel()
        }
        let imported: [ImportedImage]
        do throws(ImportFailure) {
            imported = try outcome.get()
        } catch {
            throw error.imageError(tarball: path)
        }
        let catalog = catalog
        let records = try await run(on: changes, about: path) { () throws(ImportFailure) in
            try catalog.add(imported, pinned: pinned)
        }
        syncInBackground()
        return records
    }

    /// All images, by their first name.
    public func list() -> [ImageRecord] { catalog.list().map(\.record) }

    /// The image that a name, `name@digest`, digest, id or unambiguous beginning of an id stands for.
    public func find(_ reference: String) -> ImageRecord? { catalog.find(reference)?.record }

    /// The image's whole configuration as its author wrote it (OCI image-spec, config.md).
    public func configDocument(_ reference: String) async throws(ImageError) -> [UInt8] {
        let catalog = catalog
        let document = try await run(on: light, about: reference) { () throws(ImportFailure) in
            try catalog.configDocument(reference)
        }
        guard let document else { throw .notFound(reference: reference) }
        return document
    }

    /// Takes a name away; with the last name, or when it is named by id or digest, the image goes, and the layers that
    /// neither another image nor a snapshot uses.
    public func remove(_ reference: String) async throws(ImageError) {
        let catalog = catalog
        let found = try await run(on: changes, about: reference) { () throws(ImportFailure) in
            try catalog.remove(reference)
        }
        if !found { throw .notFound(reference: reference) }
    }

    /// Mounts a root filesystem for `container` on the directory `target`, which is made when it's missing.
    ///
    /// What the container writes goes to `snapshots/<container>/upper` and is found again by the next mount for the same
    /// container. Mounted already is success.
    ///
    /// - Parameter readOnly: the mount itself is read-only, so that no mount point can be made in it any more; a container
    ///   whose root is to be read-only wants a writable mount here and `root.readonly` of its runtime
    /// - Parameter mapping: the user namespace whose root it will be; its files then have the owners that they have inside
    public func mountRootfs(
        image: ImageRecord, container: String, at target: String, readOnly: Bool = false, mapping: RootMapping? = nil
    ) async throws(ImageError) -> Snapshot {
        guard let stored = catalog.find(image.id) else { throw .notFound(reference: image.id) }
        let snapshots = snapshots
        return try await run(on: light, about: target) { () throws(ImportFailure) in
            try snapshots.mount(stored, container: container, at: target, readOnly: readOnly, mapping: mapping)
        }
    }

    /// Unmounts it; not mounted is success.
    public func unmountRootfs(container: String, at target: String) async throws(ImageError) {
        let snapshots = snapshots
        try await run(on: light, about: target) { () throws(ImportFailure) in
            try snapshots.unmount(container: container, at: target)
        }
    }

    /// Removes what the container wrote; not there is success. The mount has to be gone.
    public func removeSnapshot(container: String) async throws(ImageError) {
        let snapshots = snapshots
        try await run(on: removals, about: container) { () throws(ImportFailure) in
            try snapshots.remove(container: container)
        }
    }

    /// What the container has written; nil when there is no such snapshot.
    public func usage(container: String) async throws(ImageError) -> DiskUsage? {
        let snapshots = snapshots
        return try await run(on: light, about: container) { () throws(ImportFailure) in
            try snapshots.usage(container: container)
        }
    }

    /// Where a container's own layer lies, whether or not it is there.
    public nonisolated func upperDirectory(container: String) -> String { "\(workspace.snapshots)/\(container)/upper" }

    /// The containers that have a snapshot here.
    public func snapshotContainers() async throws(ImageError) -> [String] {
        let snapshots = snapshots
        return try await run(on: light, about: root) { () throws(ImportFailure) in try snapshots.containers() }
    }

    /// The store's share of its filesystem.
    public func filesystemUsage() async throws(ImageError) -> FilesystemUsage {
        let (root, layers) = (root, layers)
        return try await run(on: light, about: root) { () throws(ImportFailure) in
            var filesystem = statvfs()
            try checkErrno(statvfs(root, &filesystem), "statfs", root)
            let block = UInt64(filesystem.f_frsize)
            let written = try TreeUsage.measure(root + "/snapshots")
            return FilesystemUsage(
                mountpoint: root, images: try Self.imageUsage(root, layers), snapshots: written,
                capacityBytes: UInt64(filesystem.f_blocks) * block,
                availableBytes: UInt64(filesystem.f_bavail) * block, capacityInodes: UInt64(filesystem.f_files),
                availableInodes: UInt64(filesystem.f_favail))
        }
    }

    /// What `du` says of `layers` and `content`; layers don't change, and aren't measured again.
    private static func imageUsage(_ root: String, _ layers: LayerStore) throws(ImportFailure) -> DiskUsage {
        let (size, content) = (layers.size(), try TreeUsage.measure(root + "/content"))
        var status = stat()
        try checkErrno(lstat(root + "/layers", &status), "stat", root + "/layers")
        return DiskUsage(
            bytes: size.bytes + content.bytes + UInt64(status.st_blocks) * 512, inodes: size.inodes + content.inodes + 1
        )
    }

    /// Removes what nothing refers to: layers without image and snapshot, and blobs of no image. The store does it by itself
    /// when it is opened and when an image is removed.
    public func collectGarbage() async throws(ImageError) {
        let (layers, catalog) = (layers, catalog)
        try await run(on: changes, about: root) { () throws(ImportFailure) in
            layers.collect()
            try catalog.collectContent()
        }
    }

    /// For the folder that tarballs are dropped in.
    func runBlocking<Value: Sendable>(
        about subject: String, _ body: @escaping @Sendable () throws(ImportFailure) -> Value
    ) async throws(ImageError) -> Value {
        try await run(on: light, about: subject, body)
    }

    var content: ContentStore { ContentStore(workspace) }

    nonisolated var dropRecords: String { workspace.drops }

    func run<Value: Sendable>(
        on pool: BlockingPool, about subject: String, _ body: @escaping @Sendable () throws(ImportFailure) -> Value
    ) async throws(ImageError) -> Value {
        do throws(ImportFailure) {
            return try await pool.run(body)
        } catch {
            throw error.imageError(tarball: subject)
        }
    }
}
