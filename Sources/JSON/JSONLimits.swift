/// What a reader accepts at most, so that a hostile text costs a bounded amount of memory and stack.
public struct JSONLimits: Sendable, Hashable {
    /// The longest text, in bytes.
    public var bytes: Int
    /// How deep arrays and objects may be nested.
    public var depth: Int

    public init(bytes: Int = 16 << 20, depth: Int = 128) {
        self.bytes = bytes
        self.depth = depth
    }
}
