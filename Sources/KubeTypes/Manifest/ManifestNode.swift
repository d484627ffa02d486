/// A manifest as a tree: what YAML and JSON have in common, with every value's place in the file.
struct ManifestNode: Sendable {
    /// What stands there, after YAML's plain words were resolved as upstream's reader resolves them.
    enum Value: Sendable {
        case null
        /// The text is kept for messages: YAML 1.1 has many words for true.
        case bool(Bool, text: String)
        case int(Int64, text: String)
        /// A number that is no 64-bit integer.
        case float(Double, text: String)
        case string(String)
        case list([ManifestNode])
        case map([Member])
    }

    /// A key and its value.
    struct Member: Sendable {
        var key: String
        var line: Int
        var column: Int
        var node: ManifestNode
    }

    /// From 1.
    var line: Int
    /// From 1, in characters.
    var column: Int
    var value: Value

    var isNull: Bool {
        if case .null = value { true } else { false }
    }

    var members: [Member] {
        if case .map(let members) = value { members } else { [] }
    }

    var elements: [ManifestNode] {
        if case .list(let elements) = value { elements } else { [] }
    }

    /// The value of a member; nil when it isn't there or null.
    subscript(key: String) -> ManifestNode? {
        guard let node = members.first(where: { $0.key == key })?.node, !node.isNull else { return nil }
        return node
    }

    var string: String? {
        if case .string(let text) = value { text } else { nil }
    }

    /// What a message shows of it: `"text"`, `80`, `true`, `a list`, `a map`.
    var shown: String {
        switch value {
        case .null: return "null"
        case .bool(_, let text), .int(_, let text), .float(_, let text): return text
        case .string(let text): return quoted(text)
        case .list: return "a list"
        case .map: return "a map"
        }
    }

    /// The tree with the value at a path taken out.
    func blanked(_ steps: ArraySlice<FieldPath.Step>) -> ManifestNode {
        var copy = self
        guard let step = steps.first else {
            copy.value = .null
            return copy
        }
        switch (step, value) {
        case (.field(let name), .map(var members)), (.key(let name), .map(var members)):
            guard let index = members.firstIndex(where: { $0.key == name }) else { return self }
            members[index].node = members[index].node.blanked(steps.dropFirst())
            copy.value = .map(members)
        case (.index(let index), .list(var elements)):
            guard elements.indices.contains(index) else { return self }
            elements[index] = elements[index].blanked(steps.dropFirst())
            copy.value = .list(elements)
        default: return self
        }
        return copy
    }

    /// The place of a field, or of the nearest thing around it that is there.
    func place(of path: FieldPath) -> (line: Int, column: Int) {
        var node = self
        var place = (line: line, column: column)
        for step in path.steps {
            switch step {
            case .field(let name), .key(let name):
                guard let member = node.members.first(where: { $0.key == name }) else { return place }
                place = (member.line, member.column)
                node = member.node
            case .index(let index):
                guard node.elements.indices.contains(index) else { return place }
                node = node.elements[index]
                place = (node.line, node.column)
            }
        }
        return place
    }
}

/// A text in quotes, with what a terminal shouldn't be sent escaped, and cut when it is long.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars.prefix(256) {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
            result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + (text.unicodeScalars.count > 256 ? "…\"" : "\"")
}
