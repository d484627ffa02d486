/// An image whose layers are all unpacked. They are counted as used once: whoever takes it over releases them.
struct ImportedImage: Sendable {
    var id: Digest
    var config: ImageConfig
    var names: [ImageReference]
    /// What the image's digest references name.
    var target: Digest
    var documents: [(digest: Digest, bytes: [UInt8])]
    var diffIDs: [Digest]
    var chainIDs: [Digest]
}
