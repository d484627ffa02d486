/// Any JSON value as a tree.
public indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// An integer that fits 64 bits with a sign.
    case int(Int64)
    /// An integer from 2^63 to 2^64 - 1.
    case uint(UInt64)
    /// Any other number.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Reads a whole text.
    public static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try read(bytes, limits: limits)
    }

    /// The value as text, on one line or with two spaces a level.
    public func encoded(pretty: Bool) -> [UInt8] { encoded(indent: pretty ? "  " : nil) }

    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    public var intValue: Int64? {
        if case .int(let value) = self { value } else { nil }
    }

    public var uintValue: UInt64? {
        switch self {
        case .int(let value): UInt64(exactly: value)
        case .uint(let value): value
        default: nil
        }
    }

    public var doubleValue: Double? {
        switch self {
        case .int(let value): Double(value)
        case .uint(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member of an object; nil if there is none or this is no object.
    ///
    /// Setting makes an object of what isn't one.
    public subscript(key: String) -> JSONValue? {
        get { objectValue?[key] }
        set {
            var object = objectValue ?? JSONObject()
            object[key] = newValue
            self = .object(object)
        }
    }

    /// The element of an array; nil if there is none or this is no array.
    public subscript(index: Int) -> JSONValue? {
        guard let array = arrayValue, array.indices.contains(index) else { return nil }
        return array[index]
    }
}

extension JSONValue: JSONReadable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        switch reader.peek() {
        case .null:
            _ = try reader.readNull()
            self = .null
        case .bool: self = .bool(try reader.readBool())
        case .string: self = .string(try reader.readString())
        case .number: self = try reader.readNumber()
        case .array:
            var elements: [JSONValue] = []
            try reader.readArray { (reader) throws(JSONError) in elements.append(try JSONValue(from: &reader)) }
            self = .array(elements)
        case .object:
            var members: [JSONObject.Member] = []
            try reader.readMembers { (reader, key) throws(JSONError) in
                members.append(JSONObject.Member(key: key.string, value: try JSONValue(from: &reader)))
            }
            self = .object(JSONObject(members))
        case nil: throw reader.mismatch("a value")
        }
    }
}

extension JSONReader {
    /// Reads a number in the narrowest case that holds it exactly, a double if none does.
    mutating func readNumber() throws(JSONError) -> JSONValue {
        let start = position
        if try scanNumber().integral {
            let negative = base[start] == UInt8(ascii: "-")
            if position - start <= (negative ? 19 : 18) || fitsIn64Bits(start..<position, negative: negative) {
                position = start
                let (negative, magnitude) = try readMagnitude()
                if negative { return .int(Int64(truncatingIfNeeded: 0 &- magnitude)) }
                return Int64(exactly: magnitude).map(JSONValue.int) ?? .uint(magnitude)
            }
        }
        position = start
        return .double(try readDouble())
    }

    private func fitsIn64Bits(_ range: Range<Int>, negative: Bool) -> Bool {
        let text = String(
            decoding: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count), as: UTF8.self)
        return negative ? Int64(text) != nil : UInt64(text) != nil
    }
}

extension JSONValue: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.value(value)
        case .int(let value): writer.value(integer: value)
        case .uint(let value): writer.value(integer: value)
        case .double(let value): writer.value(value)
        case .string(let value): writer.value(value)
        case .array(let elements): elements.write(to: &writer)
        case .object(let object):
            writer.object { writer in
                for member in object {
                    writer.key(member.key)
                    member.value.write(to: &writer)
                }
            }
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }
}
