/// Something that reads itself from JSON.
public protocol JSONReadable {
    /// Reads one value.
    init(from reader: inout JSONReader) throws(JSONError)
}

/// Something that writes itself as JSON.
public protocol JSONWritable {
    /// Writes one value.
    func write(to writer: inout JSONWriter)
    /// Whether a member with this value is left out of an object: empty lists and texts, nil, false.
    var isOmitted: Bool { get }
}

extension JSONReadable {
    /// Reads a whole text as one value.
    public static func read(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> Self {
        var reader = try JSONReader(bytes, limits: limits)
        let value = try Self(from: &reader)
        try reader.finish()
        return value
    }
}

extension JSONWritable {
    public var isOmitted: Bool { false }

    /// The value as JSON text; `indent` is what each level is indented by, nil for one line.
    public func encoded(indent: String? = nil) -> [UInt8] {
        var writer = JSONWriter(indent: indent)
        write(to: &writer)
        return writer.bytes
    }
}

extension JSONReader {
    /// Reads whatever the context asks for.
    @inlinable public mutating func read<Value: JSONReadable>(
        _ type: Value.Type = Value.self
    ) throws(JSONError) -> Value {
        try Value(from: &self)
    }
}

extension String: JSONReadable, JSONWritable {
    @inlinable public init(from reader: inout JSONReader) throws(JSONError) { self = try reader.readString() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
    public var isOmitted: Bool { isEmpty }
}

extension Bool: JSONReadable, JSONWritable {
    @inlinable public init(from reader: inout JSONReader) throws(JSONError) { self = try reader.readBool() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
    public var isOmitted: Bool { !self }
}

extension Double: JSONReadable, JSONWritable {
    @inlinable public init(from reader: inout JSONReader) throws(JSONError) { self = try reader.readDouble() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension JSONReadable where Self: FixedWidthInteger {
    @inlinable public init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.readInteger(as: Self.self)
    }
}

extension JSONWritable where Self: FixedWidthInteger {
    @inlinable public func write(to writer: inout JSONWriter) { writer.value(integer: self) }
}

extension Int: JSONReadable, JSONWritable {}
extension Int32: JSONReadable, JSONWritable {}
extension Int64: JSONReadable, JSONWritable {}
extension UInt: JSONReadable, JSONWritable {}
extension UInt16: JSONReadable, JSONWritable {}
extension UInt32: JSONReadable, JSONWritable {}
extension UInt64: JSONReadable, JSONWritable {}

extension Optional: JSONReadable where Wrapped: JSONReadable {
    @inlinable public init(from reader: inout JSONReader) throws(JSONError) {
        if try reader.readNull() {
            self = .none
        } else {
            self = try Wrapped(from: &reader)
        }
    }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    /// A value that is there is written, be it empty or false.
    public var isOmitted: Bool { self == nil }
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .some(let value): value.write(to: &writer)
        case .none: writer.null()
        }
    }
}

extension Array: JSONReadable where Element: JSONReadable {
    @inlinable public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readArray { (reader) throws(JSONError) in append(try Element(from: &reader)) }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    public var isOmitted: Bool { isEmpty }
    public func write(to writer: inout JSONWriter) {
        writer.array { writer in
            for element in self { element.write(to: &writer) }
        }
    }
}

extension Dictionary: JSONReadable where Key == String, Value: JSONReadable {
    /// The last of several members with one name counts.
    @inlinable public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            let name = key.string
            self[name] = try Value(from: &reader)
        }
    }
}

extension Dictionary: JSONWritable where Key == String, Value: JSONWritable {
    public var isOmitted: Bool { isEmpty }
    /// In the order of the names, so that the same value gives the same text.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for (key, value) in sorted(by: { $0.key < $1.key }) {
                writer.key(key)
                value.write(to: &writer)
            }
        }
    }
}
