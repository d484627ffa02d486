/// The name of a sandbox: 64 lower-case hexadecimal digits, safe as a path component.
public struct SandboxID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// Nil unless `text` is 64 lower-case hexadecimal digits: nothing else ever becomes a path.
    public init?(_ text: String) {
        guard isWellFormedID(text) else { return nil }
        self.text = text
    }

    /// A new random name.
    public init() { text = randomID() }

    /// The first 12 digits, as people see it in tables and in the name of the network namespace.
    public var short: String { String(text.prefix(12)) }

    public var description: String { text }
}

/// The name of a container: 64 lower-case hexadecimal digits, safe as a path component.
public struct ContainerID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// Nil unless `text` is 64 lower-case hexadecimal digits: nothing else ever becomes a path.
    public init?(_ text: String) {
        guard isWellFormedID(text) else { return nil }
        self.text = text
    }

    /// A new random name.
    public init() { text = randomID() }

    /// The first 12 digits, as people see it in tables.
    public var short: String { String(text.prefix(12)) }

    public var description: String { text }
}

private func isWellFormedID(_ text: String) -> Bool {
    text.utf8.count == 64
        && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (97...102).contains($0) }
}

private func randomID() -> String {
    var generator = SystemRandomNumberGenerator()
    let digits = Array("0123456789abcdef".utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64)
    for _ in 0..<4 {
        var word = generator.next() as UInt64
        for _ in 0..<16 {
            bytes.append(digits[Int(word & 15)])
            word >>= 4
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
