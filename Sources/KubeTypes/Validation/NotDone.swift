/// Finds the fields of a valid tree that this kubelet doesn't do yet, by `SupportedFields`.
struct NotDone {
    /// How a field is taken.
    private enum Support: Sendable {
        case done, ignored
        case values(Set<String>), keys(Set<String>)
    }

    private static let support: [String: [String: Support]] = {
        var types: [String: [String: Support]] = [:]
        for line in SupportedFields.table.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let type = words.first else { continue }
            for word in words.dropFirst() {
                let parts = word.split { "=[]".contains($0) }
                if word.first == "~" {
                    types[String(type), default: [:]][String(word.dropFirst())] = .ignored
                } else if parts.count == 2 {
                    let values = Set(parts[1].split(separator: ",").map(String.init))
                    let support: Support = word.last == "]" ? .keys(values) : .values(values)
                    types[String(type), default: [:]][String(parts[0])] = support
                } else {
                    types[String(type), default: [:]][String(word)] = .done
                }
            }
        }
        return types
    }()

    private var paths: [FieldPath] = []

    /// The paths, in the manifest's order.
    static func fields(of pod: ManifestNode) -> [FieldPath] {
        var notDone = NotDone()
        notDone.visit(pod, .object("Pod"), FieldPath())
        return notDone.paths
    }

    /// Whether a type's field is mentioned at all; for the test that the list names real fields.
    static var mentioned: [(type: String, field: String)] {
        support.flatMap { type, fields in fields.keys.map { (type, $0) } }
    }

    private mutating func visit(_ node: ManifestNode, _ kind: Schema.Kind, _ path: FieldPath) {
        switch kind {
        case .object(let type):
            for member in node.members {
                guard let field = Schema.kubernetes.types[type]?[member.key], !member.node.isNull else { continue }
                let below = path.field(member.key)
                if type == "Container", SupportedFields.onlyInInitContainers.contains(member.key),
                    path.steps.contains(.field("containers"))
                {
                    paths.append(below)
                    continue
                }
                if let other = SupportedFields.onlyBeside[type]?[member.key],
                    !node.members.contains(where: { $0.key == other && Self.isSet($0.node) })
                {
                    paths.append(below)
                    continue
                }
                switch Self.support[type]?[member.key] {
                case .ignored: continue
                case .done: visit(member.node, field.kind, below)
                case .values(let values): if !values.contains(Self.text(member.node)) { paths.append(below) }
                case .keys(let keys):
                    for entry in member.node.members where !keys.contains(entry.key) {
                        paths.append(below.key(entry.key))
                    }
                case nil: if Self.isSet(member.node) { paths.append(below) }
                }
            }
        case .list(let element):
            for (index, node) in node.elements.enumerated() { visit(node, element, path.index(index)) }
        default: return
        }
    }

    /// Whether a value says anything: what is false, empty or null asks for nothing.
    private static func isSet(_ node: ManifestNode) -> Bool {
        switch node.value {
        case .null: false
        case .bool(let flag, _): flag
        case .int, .float: true
        case .string(let text): !text.isEmpty
        case .list(let elements): !elements.isEmpty
        case .map(let members): !members.isEmpty
        }
    }

    private static func text(_ node: ManifestNode) -> String {
        switch node.value {
        case .string(let text): text
        case .bool(let flag, _): flag ? "true" : "false"
        case .int(let value, _): "\(value)"
        default: ""
        }
    }
}
