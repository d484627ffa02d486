/// A value of the D-Bus type system, as far as systemd's interfaces need it.
indirect enum DBusValue: Hashable, Sendable {
    case byte(UInt8)
    case bool(Bool)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case objectPath(String)
    case signature(String)
    case variant(DBusValue)
    case structure([DBusValue])
    /// With the elements' signature, which an empty array can't tell.
    case array(String, [DBusValue])

    static func strings(_ values: [String]) -> DBusValue { .array("s", values.map { .string($0) }) }
    static func bytes(_ values: [UInt8]) -> DBusValue { .array("y", values.map { .byte($0) }) }

    /// The type as D-Bus writes it.
    var signature: String {
        switch self {
        case .byte: "y"
        case .bool: "b"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .variant: "v"
        case .structure(let members): "(" + members.map(\.signature).joined() + ")"
        case .array(let element, _): "a" + element
        }
    }

    var text: String? {
        switch self {
        case .string(let text), .objectPath(let text): text
        default: nil
        }
    }

    static func alignment(of code: Character) -> Int {
        switch code {
        case "y", "g", "v": 1
        case "x", "t", "d", "(", "{": 8
        default: 4
        }
    }
}

/// Writes values in little-endian byte order (D-Bus specification, "Marshaling").
struct DBusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ boundary: Int) {
        while bytes.count % boundary != 0 { bytes.append(0) }
    }

    mutating func integer<Value: FixedWidthInteger>(_ value: Value) {
        align(Value.bitWidth / 8)
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func value(_ value: DBusValue) {
        switch value {
        case .byte(let number): bytes.append(number)
        case .bool(let flag): integer(UInt32(flag ? 1 : 0))
        case .int32(let number): integer(number)
        case .uint32(let number): integer(number)
        case .int64(let number): integer(number)
        case .uint64(let number): integer(number)
        case .double(let number): integer(number.bitPattern)
        case .string(let text), .objectPath(let text):
            integer(UInt32(text.utf8.count))
            bytes += Array(text.utf8) + [0]
        case .signature(let text):
            bytes.append(UInt8(truncatingIfNeeded: text.utf8.count))
            bytes += Array(text.utf8) + [0]
        case .variant(let inner):
            self.value(.signature(inner.signature))
            self.value(inner)
        case .structure(let members):
            align(8)
            for member in members { self.value(member) }
        case .array(let element, let values):
            integer(UInt32(0))
            let place = bytes.count - 4
            // The padding before the first element doesn't count.
            if let first = element.first { align(DBusValue.alignment(of: first)) }
            let start = bytes.count
            for inner in values { self.value(inner) }
            let length = UInt32(bytes.count - start)
            withUnsafeBytes(of: length.littleEndian) { raw in
                for (offset, byte) in raw.enumerated() { bytes[place + offset] = byte }
            }
        }
    }
}
