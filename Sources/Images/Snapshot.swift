/// A container's root filesystem, mounted.
public struct Snapshot: Sendable, Hashable {
    /// The container that it belongs to.
    public var container: String
    /// The image below it, `sha256:…`.
    public var image: String
    /// Where it is mounted.
    public var target: String
    /// The directory that holds what the container writes.
    public var upper: String

    public init(container: String, image: String, target: String, upper: String) {
        self.container = container
        self.image = image
        self.target = target
        self.upper = upper
    }
}

/// What a directory tree takes on disk.
public struct DiskUsage: Sendable, Hashable {
    /// Bytes in allocated blocks; a file with several names counts once.
    public var bytes: UInt64
    public var inodes: UInt64

    public init(bytes: UInt64 = 0, inodes: UInt64 = 0) {
        self.bytes = bytes
        self.inodes = inodes
    }
}

/// The filesystem that images and snapshots lie on.
public struct FilesystemUsage: Sendable, Hashable {
    /// The store's root directory.
    public var mountpoint: String
    /// What the store itself takes: layers and content.
    public var images: DiskUsage
    /// What the containers have written.
    public var snapshots: DiskUsage
    public var capacityBytes: UInt64
    public var availableBytes: UInt64
    public var capacityInodes: UInt64
    public var availableInodes: UInt64

    public init(
        mountpoint: String, images: DiskUsage, snapshots: DiskUsage, capacityBytes: UInt64, availableBytes: UInt64,
        capacityInodes: UInt64, availableInodes: UInt64
    ) {
        self.mountpoint = mountpoint
        self.images = images
        self.snapshots = snapshots
        self.capacityBytes = capacityBytes
        self.availableBytes = availableBytes
        self.capacityInodes = capacityInodes
        self.availableInodes = availableInodes
    }
}
