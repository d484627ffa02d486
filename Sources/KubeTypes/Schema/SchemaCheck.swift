/// Finds every field of a tree that its type doesn't have, and every value of the wrong kind.
struct SchemaCheck {
    private(set) var violations: [Violation] = []
    private let schema: Schema

    /// What is wrong with a tree that should be of a type.
    static func violations(
        of node: ManifestNode, as kind: Schema.Kind, schema: Schema = .kubernetes
    ) -> [Violation] {
        var check = SchemaCheck(schema: schema)
        check.visit(node, kind, FieldPath())
        return check.violations
    }

    private init(schema: Schema) { self.schema = schema }

    private mutating func visit(_ node: ManifestNode, _ kind: Schema.Kind, _ path: FieldPath) {
        if node.isNull { return }
        switch (kind, node.value) {
        case (.opaque, .map), (.opaque, .null): return
        case (.object(let type), .map(let members)): visit(members, type, path)
        case (.list(let element), .list(let nodes)):
            for (index, node) in nodes.enumerated() { visit(node, element, path.index(index)) }
        case (.map(let value), .map(let members)):
            for member in members { visit(member.node, value, path.key(member.key)) }
        default:
            if let reason = mismatch(node, kind) { report(node.line, node.column, path, reason) }
        }
    }

    private mutating func visit(_ members: [ManifestNode.Member], _ type: String, _ path: FieldPath) {
        let fields = schema.types[type] ?? [:]
        for member in members {
            if let field = fields[member.key] {
                visit(member.node, field.kind, path.field(member.key))
            } else {
                let near = violations.count < 64 ? Spelling.nearest(to: member.key, in: fields.keys) : nil
                let hint = near.map { "; did you mean \(quoted($0))?" } ?? ""
                report(member.line, member.column, path.field(member.key), "unknown field" + hint)
            }
        }
    }

    private mutating func report(_ line: Int, _ column: Int, _ path: FieldPath, _ message: String) {
        violations.append(Violation(line: line, column: column, field: path, message: message))
    }

    /// Why a single value isn't what its field holds; nil when it is.
    private func mismatch(_ node: ManifestNode, _ kind: Schema.Kind) -> String? {
        let reason: String?
        switch kind {
        case .string: reason = notAString(node)
        case .boolean:
            if case .bool = node.value { return nil }
            reason = "must be true or false"
        case .int32: reason = notAnInteger(node, Int64(Int32.min)...Int64(Int32.max), bits: 32)
        case .int64: reason = notAnInteger(node, Int64.min...Int64.max, bits: 64)
        case .double:
            switch node.value {
            case .int, .float: return nil
            default: reason = "must be a number"
            }
        case .quantity: reason = notAQuantity(node)
        case .intOrString:
            if case .string = node.value { return nil }
            reason = notAnInteger(node, Int64(Int32.min)...Int64(Int32.max), bits: 32).map { "\($0) or a name" }
        case .time: reason = node.string.flatMap(Time.init) == nil ? "must be a time as 2006-01-02T15:04:05Z" : nil
        case .base64: reason = node.string.flatMap(Base64.decode) == nil ? "must be base64" : nil
        case .object, .map, .opaque: reason = "must be a map"
        case .list: reason = "must be a list"
        }
        return reason.map { "Invalid value: \(node.shown): \($0)" }
    }

    private func notAString(_ node: ManifestNode) -> String? {
        switch node.value {
        case .string: nil
        case .int(_, let text), .bool(_, let text), .float(_, let text):
            "must be a string; put it in quotes: \(quoted(text))"
        default: "must be a string"
        }
    }

    private func notAnInteger(_ node: ManifestNode, _ range: ClosedRange<Int64>, bits: Int) -> String? {
        guard let value = node.integer else { return "must be an integer" }
        return range.contains(value) ? nil : "must be an integer of \(bits) bits"
    }

    private func notAQuantity(_ node: ManifestNode) -> String? {
        guard let text = node.quantityText else { return "must be a quantity, a string or a number" }
        do {
            _ = try Quantity(parsing: text)
            return nil
        } catch {
            return error.description
        }
    }
}

extension ManifestNode {
    /// A whole number, also written as `1.0` or `1e3`, as Go's conversion by way of JSON lets it.
    var integer: Int64? {
        switch value {
        case .int(let value, _): value
        case .float(let value, _): abs(value) < 1e15 ? Int64(exactly: value) : nil
        default: nil
        }
    }

    /// The text of a quantity, which may be a bare number; white space around it is cut off.
    var quantityText: String? {
        switch value {
        case .string(let text):
            var text = Substring(text)
            while text.first?.isWhitespace == true { text.removeFirst() }
            while text.last?.isWhitespace == true { text.removeLast() }
            return String(text)
        case .int(let value, _): return "\(value)"
        case .float(_, let text): return text
        default: return nil
        }
    }
}
