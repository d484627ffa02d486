/// Which fields every type reachable from a Pod has, and what they hold; read once from the generated table.
struct Schema: Sendable {
    /// What a field holds.
    indirect enum Kind: Sendable, Hashable {
        case string, boolean, int32, int64, double, quantity, intOrString, time, base64
        /// An object that nobody looks into.
        case opaque
        case object(String)
        case list(Kind)
        case map(Kind)
    }

    /// One field of a type.
    struct Field: Sendable {
        var kind: Kind
        /// Go writes it even when it is empty.
        var required: Bool
    }

    let types: [String: [String: Field]]

    static let kubernetes = Schema(parsing: schemaTable)

    private init(parsing table: String) {
        var types: [String: [String: Field]] = [:]
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first else { continue }
            var fields: [String: Field] = [:]
            for word in words.dropFirst() {
                guard let colon = word.firstIndex(of: ":") else { continue }
                let required = word.hasSuffix("!")
                let kind = word[word.index(after: colon)...].dropLast(required ? 1 : 0)
                fields[String(word[..<colon])] = Field(kind: Self.kind(kind), required: required)
            }
            types[String(name)] = fields
        }
        self.types = types
    }

    private static func kind(_ text: Substring) -> Kind {
        switch text.first {
        case "s": return .string
        case "b": return .boolean
        case "i": return .int32
        case "l": return .int64
        case "d": return .double
        case "q": return .quantity
        case "p": return .intOrString
        case "t": return .time
        case "y": return .base64
        case "@": return .object(String(text.dropFirst()))
        case "[": return .list(kind(text.dropFirst()))
        case "{": return .map(kind(text.dropFirst()))
        default: return .opaque
        }
    }
}
