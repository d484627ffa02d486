/// What a manifest may cost, so that none, meant or not, makes the node slow or large.
public struct ManifestLimits: Sendable, Hashable {
    /// The size of a file.
    public var bytes = 1 << 20
    /// Documents in a file, and pods in a list.
    public var documents = 512
    /// Nesting; Pod's own deepest field is at 15.
    public var depth = 64
    /// Values in a document once its aliases are followed.
    public var values = 200_000

    /// The usual limits.
    public init() {}
}
