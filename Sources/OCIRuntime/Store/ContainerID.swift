/// A container's name, proven to be one path component.
public struct ContainerID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// Letters, digits and `_+-.`, at most 1024 bytes, not "." or "..", as runc has it.
    public init(_ text: String) throws(RuntimeError) {
        func allowed(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        if text.isEmpty { throw RuntimeError("container id cannot be empty") }
        guard text.utf8.count <= 1024, text.utf8.allSatisfy(allowed), text != ".", text != ".." else {
            throw RuntimeError("invalid container ID \"\(text.prefix(64))\": only letters, digits and _+-. may be used")
        }
        self.text = text
    }

    public var description: String { text }
}
