import CRI
import JSON
import SwiftProtobuf

/// Why a record can't be used, in words that fit behind its id.
struct RecordError: Error, Sendable, Equatable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A record as it lies in the database.
struct RecordRow: Sendable {
    var id: String
    /// JSON.
    var record: String
    /// A CRI message, as protobuf.
    var config: [UInt8]

    func message<Value: SwiftProtobuf.Message>() throws(RecordError) -> Value {
        do { return try Value(serializedBytes: config) } catch { throw RecordError("config: \(error)") }
    }
}

/// A record's JSON with its head checked: version and id.
struct RecordDocument {
    let value: JSONValue

    init(_ text: String, version: Int64, id: String) throws(RecordError) {
        do { value = try JSONValue.parse(Array(text.utf8)) } catch { throw RecordError(error.description) }
        guard let found = value["version"]?.intValue else { throw RecordError("no version") }
        guard found == version else { throw RecordError("version \(found); this program knows \(version)") }
        guard value["id"]?.stringValue == id else { throw RecordError("its id isn't that of its row") }
    }

    func text(_ key: String) throws(RecordError) -> String {
        guard let text = value[key]?.stringValue else { throw RecordError("\(key) is missing") }
        return text
    }

    func int(_ key: String) throws(RecordError) -> Int64 {
        guard let number = value[key]?.intValue else { throw RecordError("\(key) is missing") }
        return number
    }

    func int32(_ key: String) throws(RecordError) -> Int32 {
        guard let number = Int32(exactly: try int(key)) else { throw RecordError("\(key) is not 32 bits") }
        return number
    }

    func choice<Value: RawRepresentable>(_ key: String) throws(RecordError) -> Value where Value.RawValue == String {
        let text = try text(key)
        guard let choice = Value(rawValue: text) else { throw RecordError("\(key) is \"\(text)\", which is unknown") }
        return choice
    }
}

/// CRI messages as JSON, in the shape that containerd's verbose answers have: field names as in the .proto, numbers as
/// numbers, enums as numbers.
enum CRIDocument {
    static func value(_ message: some SwiftProtobuf.Message) throws -> JSONValue {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        options.alwaysPrintEnumsAsInts = true
        options.alwaysPrintInt64sAsNumbers = true
        let bytes: [UInt8] = try message.jsonUTF8Bytes(options: options)
        return try JSONValue.parse(bytes)
    }
}
