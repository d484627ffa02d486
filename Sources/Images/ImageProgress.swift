/// How far a tarball's import, or a pull, has come.
public struct ImageProgress: Sendable, Hashable {
    public enum Stage: String, Sendable, Hashable {
        /// The tarball is decompressed and its table of contents read.
        case reading
        /// A layer is verified and unpacked.
        case unpacking
        /// Layers come from the registry and are unpacked as they come.
        case pulling
    }

    public var stage: Stage
    /// The layer at hand, from 1; 0 while the tarball is read. Of a pull, how many layers are done.
    public var layer: Int
    public var layers: Int
    /// Bytes of the tarball, or of the image's layers, that this stage has read, and how many there are.
    public var bytes: UInt64
    public var totalBytes: UInt64

    public init(stage: Stage, layer: Int = 0, layers: Int = 0, bytes: UInt64 = 0, totalBytes: UInt64 = 0) {
        self.stage = stage
        self.layer = layer
        self.layers = layers
        self.bytes = bytes
        self.totalBytes = totalBytes
    }
}
