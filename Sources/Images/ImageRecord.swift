/// One image that the store holds: what a container engine needs to know of it, and nothing that it would have to read
/// from a file.
public struct ImageRecord: Sendable, Hashable, Codable {
    /// `sha256:` and the digest of the image's configuration, as docker and the CRI name images.
    public var id: String
    /// Full names with a tag, sorted: `docker.io/library/busybox:latest`.
    public var repoTags: [String]
    /// Full names with the digest of the manifest, sorted: `docker.io/library/busybox@sha256:…`.
    public var repoDigests: [String]
    /// Bytes that the image's unpacked layers take on disk, in whole blocks. Layers that another image shares count for
    /// both.
    public var size: UInt64
    /// What the image says about the process to start from it. Every string in it is the image author's: hostile until
    /// proven otherwise.
    public var config: ImageConfig
    /// A pinned image was put there by a person or by the node, and is not to be collected.
    public var pinned: Bool
    /// The digests of the uncompressed layers, lowest first.
    public var layers: [String]

    /// The name of all layers together (OCI image-spec 1.1, config.md, "Layer ChainID"); empty without layers.
    public var chainID: String { chainIDs(of: layers.compactMap { Digest($0) }).last?.description ?? "" }

    public init(
        id: String, repoTags: [String] = [], repoDigests: [String] = [], size: UInt64 = 0,
        config: ImageConfig = ImageConfig(), pinned: Bool = false, layers: [String] = []
    ) {
        self.id = id
        self.repoTags = repoTags
        self.repoDigests = repoDigests
        self.size = size
        self.config = config
        self.pinned = pinned
        self.layers = layers
    }
}
