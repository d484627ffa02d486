import Glibc

/// Reads JSON (RFC 8259) value by value, as the caller asks for them, without building a tree.
///
/// The text is copied once; strings are made only when asked for; what isn't wanted is passed over by `skipValue`.
/// Integers are exact or refused; text that isn't UTF-8, unpaired surrogates, text after the value (`finish`), nesting and
/// size beyond the limits are refused. One pass, no going back.
public struct JSONReader: ~Copyable {
    let base: UnsafeMutablePointer<UInt8>
    let count: Int
    var position = 0
    var depth = 0
    let maximumDepth: Int
    /// Decoded names that held escapes; they live as long as the reader because a `JSONKey` points into them.
    var decodedKeys: [UnsafeMutableBufferPointer<UInt8>] = []

    /// A reader at the start of the text.
    ///
    /// - Throws: `JSONError` if the text is longer than the limit.
    public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        guard bytes.count <= limits.bytes else {
            throw JSONError(reason: "the text has \(bytes.count) bytes, more than the \(limits.bytes) allowed")
        }
        count = bytes.count
        maximumDepth = limits.depth
        base = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
        bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { base.initialize(from: start, count: count) }
        }
    }

    deinit {
        base.deallocate()
        for key in decodedKeys { key.deallocate() }
    }

    /// The byte at which the next thing is read, from 0.
    public var offset: Int { position }

    /// An error at the place where the reader stands.
    public func failure(_ reason: String) -> JSONError { failure(reason, at: position) }

    /// An error at a given byte; lines are counted only now.
    func failure(_ reason: String, at offset: Int) -> JSONError {
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, count) where base[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        return JSONError(reason: reason, offset: offset, line: line, column: offset - lineStart + 1)
    }

    /// "expected … , found …" at the next value.
    func mismatch(_ expected: String) -> JSONError {
        failure("expected \(expected), found \(found)")
    }

    private var found: String {
        guard position < count else { return "the end of the text" }
        switch base[position] {
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "["): return "an array"
        case UInt8(ascii: "\""): return "a string"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return "a boolean"
        case UInt8(ascii: "n"): return "null"
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return "a number"
        case let byte where byte > 0x20 && byte < 0x7F: return "'" + String(UnicodeScalar(byte)) + "'"
        case let byte: return "the byte \(byte)"
        }
    }

    /// Passes over white space and tells the byte that stands there, nil at the end of the text.
    mutating func next() -> UInt8? {
        while position < count {
            let byte = base[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    /// What the next value is, without reading it; nil when there is none.
    public mutating func peek() -> JSONKind? {
        switch next() {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): .number
        default: nil
        }
    }

    /// Proves that only white space is left.
    public mutating func finish() throws(JSONError) {
        if next() != nil { throw failure("there is more text after the value") }
    }

    mutating func descend() throws(JSONError) {
        depth += 1
        if depth > maximumDepth { throw failure("nested deeper than \(maximumDepth) levels") }
        position += 1
    }
}

/// The kinds of JSON values.
public enum JSONKind: Sendable, Hashable {
    case null, bool, number, string, array, object
}
