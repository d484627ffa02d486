import JSON

/// Makes a pod of one object's tree.
enum PodObject {
    /// - Parameter names: the lines of the pods before it in the file, by namespace and name.
    static func read(
        _ node: ManifestNode, file: String, names: inout [String: Int]
    ) -> Result<ParsedPod, ManifestError> {
        let name = node["metadata"]?["name"]?.string
        func refuse(_ violations: [Violation]) -> Result<ParsedPod, ManifestError> {
            .failure(ManifestError(file: file, name: name, violations: shown(violations)))
        }
        guard case .map = node.value else {
            let message = "is not an object: found \(node.shown)"
            return refuse([Violation(line: node.line, column: node.column, field: nil, message: message)])
        }
        let wrongKind = kindViolations(node)
        guard wrongKind.isEmpty else { return refuse(wrongKind) }

        var violations = SchemaCheck.violations(of: node, as: .object("Pod"))
        let pod: Pod
        do {
            // What is of the wrong kind is left out, so that the rest is judged in the same go.
            let readable = violations.prefix(mostViolations).reduce(node) { $0.blanked($1.field?.steps[...] ?? []) }
            pod = try NodeDecoder.decode(Pod.self, from: readable).defaulted()
        } catch {
            if violations.isEmpty { violations.append(unreadable(error, node)) }
            return refuse(violations)
        }
        // A field of the wrong kind was reported as such; what follows from it would only confuse.
        let reported = Set(violations.map(\.field))
        for violation in pod.validate() where !reported.contains(violation.field) {
            let place = node.place(of: violation.field)
            violations.append(
                Violation(
                    line: place.line, column: place.column, field: violation.field, message: violation.message))
        }
        let key = "\(pod.metadata.namespace)/\(pod.metadata.name)"
        let path = FieldPath().field("metadata").field("name")
        let place = node.place(of: path)
        if let line = names[key], !pod.metadata.name.isEmpty {
            let message = "Duplicate value: \(quoted(key)): the same file has this pod on line \(line)"
            violations.append(Violation(line: place.line, column: place.column, field: path, message: message))
        }
        names[key] = names[key] ?? place.line
        guard violations.isEmpty else { return refuse(violations) }
        return .success(
            ParsedPod(
                pod: pod, file: file, line: node.line, content: canonical(node), notDone: NotDone.fields(of: node),
                warnings: pod.warnings()))
    }

    private static let mostViolations = 64

    /// In the order of the lines, and no more than a person reads.
    private static func shown(_ violations: [Violation]) -> [Violation] {
        let sorted = violations.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }.map(\.element)
        guard sorted.count > mostViolations, let last = sorted.last else { return sorted }
        let message = "and \(sorted.count - mostViolations) more"
        return sorted.prefix(mostViolations) + [
            Violation(line: last.line, column: last.column, field: nil, message: message)
        ]
    }

    private static func kindViolations(_ node: ManifestNode) -> [Violation] {
        var violations: [Violation] = []
        for (name, expected) in [("apiVersion", "v1"), ("kind", "Pod")] {
            let path = FieldPath().field(name)
            let place = node.place(of: path)
            let message: String
            switch node[name]?.value {
            case nil: message = "Required value: must be \(quoted(expected))"
            case .string(expected): continue
            case .string(let text):
                message = "Unsupported value: \(quoted(text)): this node runs Pods of v1 and lists of them"
            default: message = "Invalid value: \(node[name]?.shown ?? ""): must be \(quoted(expected))"
            }
            violations.append(Violation(line: place.line, column: place.column, field: path, message: message))
        }
        return violations
    }

    private static func unreadable(_ error: any Error, _ node: ManifestNode) -> Violation {
        var message = "can't be read"
        if case DecodingError.dataCorrupted(let context) = error { message += ": \(context.debugDescription)" }
        return Violation(line: node.line, column: node.column, field: nil, message: message)
    }

    /// The object as JSON with sorted keys, without nulls and without the status, which a manifest can't ask for.
    private static func canonical(_ node: ManifestNode) -> String {
        var members = node.members
        members.removeAll { $0.key == "status" }
        let value = json(ManifestNode(line: 1, column: 1, value: .map(members)))
        return String(decoding: value.encoded(pretty: false), as: UTF8.self)
    }

    private static func json(_ node: ManifestNode) -> JSONValue {
        switch node.value {
        case .null: .null
        case .bool(let flag, _): .bool(flag)
        case .int(let value, _): .int(value)
        case .float(let value, let text): value.isFinite ? .double(value) : .string(text)
        case .string(let text): .string(text)
        case .list(let elements): .array(elements.map(json))
        case .map(let members):
            .object(
                JSONObject(
                    members.filter { !$0.node.isNull }.sorted { $0.key < $1.key }
                        .map { JSONObject.Member(key: $0.key, value: json($0.node)) }))
        }
    }
}
