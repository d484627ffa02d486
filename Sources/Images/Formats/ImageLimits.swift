/// How much an image may ask of the node before it is refused. Whoever wrote it is not trusted: a few kilobytes can
/// unpack to terabytes, and a name can be as long as the file.
public struct ImageLimits: Sendable, Hashable {
    /// One manifest, index or configuration, in bytes.
    public var documentBytes = 4 << 20
    /// Indexes inside indexes.
    public var indexDepth = 4
    /// Images in one tarball.
    public var images = 256
    /// Layers of one image; overlayfs stacks at most 500.
    public var layers = 500
    /// Entries of the outer archive.
    public var archiveEntries = 20_000
    /// Entries of one layer.
    public var layerEntries = 1_000_000
    /// Bytes of one layer as a registry has it.
    public var layerBytes: UInt64 = 64 << 30
    /// Bytes that all of an image's layers may unpack to.
    public var unpackedBytes: UInt64 = 128 << 30
    /// Unpacked bytes for each byte of the tarball, once ``ratioFloorBytes`` have come out.
    public var ratio: UInt64 = 200
    /// Below this much unpacked data the ratio is nobody's business, in bytes.
    public var ratioFloorBytes: UInt64 = 256 << 20
    /// Bytes of one entry's extended headers (long names, xattrs, maps of holes).
    public var headerBytes = 1 << 20
    /// Bytes of one name; the kernel's PATH_MAX less the final zero.
    public var nameBytes = 4095
    /// Directories above an entry.
    public var nameDepth = 512

    public init() {}
}
