/// Reads values that came from outside: every length is checked against what is there, and nesting is bounded.
struct DBusReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private let start: Int
    private let swapped: Bool
    private static let deepest = 32

    /// - Parameter bigEndian: as the message's first byte says.
    init(_ bytes: ArraySlice<UInt8>, bigEndian: Bool) {
        self.bytes = bytes
        start = bytes.startIndex
        position = bytes.startIndex
        swapped = bigEndian
    }

    /// Where the next value would begin, counted from the message's start.
    var offset: Int { position - start }

    mutating func align(_ boundary: Int) throws(RuntimeError) {
        while (position - start) % boundary != 0 { _ = try byte() }
    }

    private mutating func byte() throws(RuntimeError) -> UInt8 {
        guard position < bytes.endIndex else { throw DBusReader.damaged }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(RuntimeError) -> Value {
        let size = Value.bitWidth / 8
        try align(size)
        guard bytes.endIndex - position >= size else { throw DBusReader.damaged }
        var value: Value = 0
        for index in 0..<size {
            let shift = swapped ? (size - 1 - index) * 8 : index * 8
            value |= Value(truncatingIfNeeded: bytes[position + index]) << Value(shift)
        }
        position += size
        return value
    }

    private mutating func text(_ length: Int) throws(RuntimeError) -> String {
        guard length >= 0, bytes.endIndex - position > length else { throw DBusReader.damaged }
        let text = String(decoding: bytes[position..<(position + length)], as: UTF8.self)
        position += length
        if try byte() != 0 { throw DBusReader.damaged }
        return text
    }

    /// Every value that the signature names.
    mutating func values(_ signature: String) throws(RuntimeError) -> [DBusValue] {
        var rest = Substring(signature)
        var values: [DBusValue] = []
        while !rest.isEmpty { values.append(try value(&rest, depth: 0)) }
        return values
    }

    private mutating func value(_ signature: inout Substring, depth: Int) throws(RuntimeError) -> DBusValue {
        guard let code = signature.popFirst(), depth < DBusReader.deepest else { throw DBusReader.damaged }
        switch code {
        case "y": return .byte(try byte())
        case "b": return .bool(try integer(UInt32.self) != 0)
        case "i": return .int32(try integer())
        case "u", "h": return .uint32(try integer())
        case "x": return .int64(try integer())
        case "t": return .uint64(try integer())
        case "d": return .double(Double(bitPattern: try integer()))
        case "s": return .string(try text(Int(try integer(UInt32.self))))
        case "o": return .objectPath(try text(Int(try integer(UInt32.self))))
        case "g": return .signature(try text(Int(try byte())))
        case "v":
            var inner = Substring(try text(Int(try byte())))
            let value = try value(&inner, depth: depth + 1)
            if !inner.isEmpty { throw DBusReader.damaged }
            return .variant(value)
        case "(", "{":
            try align(8)
            var members: [DBusValue] = []
            let end: Character = code == "(" ? ")" : "}"
            while let next = signature.first, next != end { members.append(try value(&signature, depth: depth + 1)) }
            if signature.popFirst() != end { throw DBusReader.damaged }
            return .structure(members)
        case "a": return try array(&signature, depth)
        default: throw DBusReader.damaged
        }
    }

    private mutating func array(_ signature: inout Substring, _ depth: Int) throws(RuntimeError) -> DBusValue {
        let length = Int(try integer(UInt32.self))
        guard let first = signature.first else { throw DBusReader.damaged }
        let element = try DBusReader.firstType(signature)
        try align(DBusValue.alignment(of: first))
        guard length <= bytes.endIndex - position else { throw DBusReader.damaged }
        let end = position + length
        var values: [DBusValue] = []
        while position < end {
            var one = element
            values.append(try value(&one, depth: depth + 1))
        }
        if position != end { throw DBusReader.damaged }
        signature.removeFirst(element.count)
        return .array(String(element), values)
    }

    /// The first complete type of a signature.
    private static func firstType(_ signature: Substring) throws(RuntimeError) -> Substring {
        var open = 0
        for (index, code) in zip(signature.indices, signature) {
            if code == "(" || code == "{" { open += 1 }
            if code == ")" || code == "}" { open -= 1 }
            if open < 0 { throw damaged }
            if open == 0, code != "a" { return signature[...index] }
        }
        throw damaged
    }

    private static var damaged: RuntimeError { RuntimeError("systemd: a D-Bus message that makes no sense") }
}
