import CRI
import JSON
import SwiftProtobuf

/// A protobuf message as JSON in which nothing is left out that has a default: empty strings, lists and maps, zeros and
/// false are there, only messages that aren't set are not. Fields come in the order of their numbers, 64-bit integers
/// are strings, enums are names (protobuf's JSON mapping with default values emitted, as crictl prints it).
enum ProtoDocument {
    /// - Throws: when the message can't be written as JSON, which needs a time or a wrapper out of range.
    static func value(of message: some Message) throws -> JSONValue {
        let bytes: [UInt8] = try message.jsonUTF8Bytes()
        let name = type(of: message).protoMessageName.split(separator: ".").last.map(String.init) ?? ""
        return fill(try JSONValue.parse(bytes), name)
    }

    /// The members of a message, in order, with `null` for messages that aren't set: what crictl prints for statuses.
    static func membersWithNulls(_ document: JSONValue, of name: String) -> JSONValue {
        guard let fields = MessageShape.all[name] else { return document }
        return .object(
            JSONObject(fields.map { JSONObject.Member(key: $0.name, value: document[$0.name] ?? .null) }))
    }

    private static func fill(_ document: JSONValue, _ message: String) -> JSONValue {
        guard let fields = MessageShape.all[message] else { return document }
        var members: [JSONObject.Member] = []
        for field in fields {
            guard let value = document[field.name] ?? field.kind.zero else { continue }
            members.append(JSONObject.Member(key: field.name, value: field.kind.fill(value, fill)))
        }
        return .object(JSONObject(members))
    }
}

/// What a field holds, and how JSON shows it when it is empty.
enum FieldKind: Sendable {
    case scalar(zero: JSONValue)
    case message(String)
    indirect case list(FieldKind)
    case map

    init?(_ code: Substring) {
        switch code.first {
        case "s", "y": self = .scalar(zero: "")
        case "b": self = .scalar(zero: false)
        case "i", "d": self = .scalar(zero: 0)
        case "l": self = .scalar(zero: "0")
        case "@": self = .scalar(zero: .string(String(code.dropFirst())))
        case ".": self = .message(String(code.dropFirst()))
        case "%": self = .map
        case "*":
            guard let element = FieldKind(code.dropFirst()) else { return nil }
            self = .list(element)
        default: return nil
        }
    }

    var zero: JSONValue? {
        switch self {
        case .scalar(let zero): zero
        case .message: nil
        case .list: []
        case .map: [:]
        }
    }

    func fill(_ value: JSONValue, _ message: (JSONValue, String) -> JSONValue) -> JSONValue {
        switch self {
        case .scalar: return value
        case .message(let name): return message(value, name)
        case .list(let element): return .array((value.arrayValue ?? []).map { element.fill($0, message) })
        case .map: return value.sortedByKey(deep: false)
        }
    }
}

/// The fields of a message.
enum MessageShape {
    struct Field: Sendable {
        /// The JSON name.
        var name: String
        var kind: FieldKind
    }

    static let all: [String: [Field]] = {
        var all: [String: [Field]] = [:]
        for line in messageShapes.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first else { continue }
            all[String(name)] = words.dropFirst().compactMap { word in
                guard let colon = word.firstIndex(of: ":"), let kind = FieldKind(word[word.index(after: colon)...])
                else { return nil }
                return Field(name: jsonName(word[..<colon]), kind: kind)
            }
        }
        return all
    }()

    /// `log_path` → `logPath`.
    static func jsonName(_ name: Substring) -> String {
        var result = ""
        var upper = false
        for character in name {
            if character == "_" {
                upper = true
            } else {
                result += upper ? character.uppercased() : String(character)
                upper = false
            }
        }
        return result
    }
}

extension JSONValue {
    /// The same value with the members of objects in the order of their keys, as Go prints its maps.
    func sortedByKey(deep: Bool = true) -> JSONValue {
        switch self {
        case .object(let object):
            var members = object.map { JSONObject.Member(key: $0.key, value: deep ? $0.value.sortedByKey() : $0.value) }
            members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return .object(JSONObject(members))
        case .array(let elements) where deep: return .array(elements.map { $0.sortedByKey() })
        default: return self
        }
    }
}
