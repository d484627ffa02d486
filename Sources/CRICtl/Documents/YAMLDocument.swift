import JSON
import Yams

/// JSON as YAML, with the members of objects in the order of their keys.
enum YAMLDocument {
    static func text(_ value: JSONValue) throws -> String {
        try Yams.serialize(node: node(value.sortedByKey()), width: -1, allowUnicode: true)
    }

    private static func node(_ value: JSONValue) throws -> Node {
        switch value {
        case .null: return Node("null", Tag(.null))
        case .bool(let value): return Node(value ? "true" : "false", Tag(.bool))
        case .int(let value): return Node(String(value), Tag(.int))
        case .uint(let value): return Node(String(value), Tag(.int))
        case .double(let value): return Node(String(value), Tag(.float))
        case .string(let text): return Node(text, Tag(.str), style(text))
        case .array(let elements):
            return Node(try elements.map(node), Tag(.seq), elements.isEmpty ? .flow : .block)
        case .object(let object):
            let pairs = try object.map { (Node($0.key, Tag(.str), style($0.key)), try node($0.value)) }
            return Node(pairs, Tag(.map), pairs.isEmpty ? .flow : .block)
        }
    }

    /// Quotes what would be read back as something else than text.
    private static func style(_ text: String) -> Node.Scalar.Style {
        if text.contains("\n") { return .literal }
        return Resolver.default.resolveTag(of: Node(text)) == .str ? .any : .doubleQuoted
    }
}
