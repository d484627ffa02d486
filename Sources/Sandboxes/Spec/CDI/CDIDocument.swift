import CRI
import JSON
import Yams

/// The tree of a CDI specification file, written in JSON or YAML.
enum CDIDocument {
    /// More values than any vendor's file has; aliases can't multiply a small one beyond it.
    private static let mostValues = 200_000

    /// - Throws: `.invalidArgument` with what is wrong, for behind the file's name
    static func parse(_ bytes: [UInt8], isJSON: Bool) throws(CRIError) -> JSONValue {
        if isJSON {
            do { return try JSONValue.parse(bytes) } catch { throw CRIError(.invalidArgument, "\(error)") }
        }
        let node: Node?
        do { node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)) } catch {
            // The lines after the first one quote the file.
            throw CRIError(.invalidArgument, "not YAML: \("\(error)".prefix { $0 != "\n" })")
        }
        guard let node else { throw CRIError(.invalidArgument, "empty") }
        var budget = mostValues
        return try value(node, &budget, depth: 0)
    }

    private static func value(_ node: Node, _ budget: inout Int, depth: Int) throws(CRIError) -> JSONValue {
        budget -= 1
        guard budget > 0, depth < 64 else { throw CRIError(.invalidArgument, "too many values, or nested too deep") }
        if let mapping = node.mapping {
            var members: [JSONObject.Member] = []
            for (key, item) in mapping {
                guard let name = key.string else { throw CRIError(.invalidArgument, "a key that is no text") }
                members.append(JSONObject.Member(key: name, value: try value(item, &budget, depth: depth + 1)))
            }
            return .object(JSONObject(members))
        }
        if let sequence = node.sequence {
            var items: [JSONValue] = []
            for item in sequence { items.append(try value(item, &budget, depth: depth + 1)) }
            return .array(items)
        }
        guard let scalar = node.scalar else { throw CRIError(.invalidArgument, "an alias that leads nowhere") }
        return scalar.style == .plain ? plain(scalar.string) : .string(scalar.string)
    }

    /// A word without quotes, by YAML's core schema.
    private static func plain(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if let number = Int64(text) { return .int(number) }
        if text.hasPrefix("0x"), let number = Int64(text.dropFirst(2), radix: 16) { return .int(number) }
        if text.hasPrefix("0o"), let number = Int64(text.dropFirst(2), radix: 8) { return .int(number) }
        return .string(text)
    }
}
