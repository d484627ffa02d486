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
        let isText = Resolver.default.resolveTag(of: Node(text)) == .str && !isSwitch(text) && !isSexagesimal(text)
        return isText ? .any : .doubleQuoted
    }

    /// Older readers take these for true and false (YAML 1.1), and Go's writer quotes them.
    private static func isSwitch(_ text: String) -> Bool {
        guard text.utf8.count <= 3 else { return false }
        let lower = text.lowercased()
        return ["y", "n", "yes", "no", "on", "off"].contains(lower)
            && [lower, text.uppercased(), lower.prefix(1).uppercased() + lower.dropFirst()].contains(text)
    }

    /// `1:30` is ninety to older readers: numbers to the base of 60 (YAML 1.1), a MAC address of digits among them.
    private static func isSexagesimal(_ text: String) -> Bool {
        let sign: Set<Character> = ["+", "-"]
        let whole = (text.first.map(sign.contains) ?? false) ? text.dropFirst() : text[...]
        let parts = whole.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count > 1, let first = parts.first, first.first?.isASCIIDigit ?? false,
            first.allSatisfy({ $0.isASCIIDigit || $0 == "_" })
        else { return false }
        for (index, part) in parts.enumerated().dropFirst() {
            // The last may have a fraction.
            let digits = index == parts.count - 1 ? part.prefix { $0 != "." } : part
            guard (1...2).contains(digits.count), digits.allSatisfy(\.isASCIIDigit), let value = Int(digits),
                value < 60,
                part.dropFirst(digits.count).dropFirst().allSatisfy({ $0.isASCIIDigit || $0 == "_" })
            else { return false }
        }
        return true
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
