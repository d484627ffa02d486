/// The door for manifests: bytes of a file to pods, or to everything that is wrong with them.
public enum PodDocument {
    /// Reads a file with one or many documents in YAML or JSON; each is a Pod, a PodList or a List of Pods.
    ///
    /// Nothing a file holds makes this crash, run long or grow large: size, documents, nesting and aliases are bounded.
    /// An empty file has no pods.
    ///
    /// - Parameter file: how messages name the file.
    /// - Returns: for each pod in the file's order the pod, valid and defaulted, or why it was refused. Documents fail
    ///   one by one; a document that is no YAML at all is one failure.
    public static func read(
        _ bytes: [UInt8], file: String, limits: ManifestLimits = ManifestLimits()
    ) -> [Result<ParsedPod, ManifestError>] {
        func failure(_ line: Int, _ message: String) -> [Result<ParsedPod, ManifestError>] {
            let violation = Violation(line: line, column: 1, field: nil, message: message)
            return [.failure(ManifestError(file: file, violations: [violation]))]
        }
        guard bytes.count <= limits.bytes else {
            return failure(1, "has \(bytes.count) bytes, more than the \(limits.bytes) allowed")
        }
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return failure(invalidLine(bytes), "is not UTF-8 text")
        }
        var results: [Result<ParsedPod, ManifestError>] = []
        var names: [String: Int] = [:]
        for document in ManifestDocuments.read(bytes, text: text, limits: limits) {
            switch document {
            case .failure(let problem):
                results.append(.failure(ManifestError(file: file, violations: [problem.violation])))
            case .success(let node):
                for object in objects(in: node) {
                    guard results.count < limits.documents else {
                        return results + failure(object.line, "has more than \(limits.documents) pods")
                    }
                    results.append(PodObject.read(object, file: file, names: &names))
                }
            }
        }
        return results
    }

    /// The object itself, or what a list holds.
    private static func objects(in node: ManifestNode) -> [ManifestNode] {
        guard let kind = node["kind"]?.string, kind == "List" || kind == "PodList", node["apiVersion"]?.string == "v1"
        else { return [node] }
        guard let items = node["items"], case .list(let elements) = items.value else { return [] }
        guard kind == "PodList" else { return elements }
        // The items of a PodList needn't repeat what they are.
        return elements.map { item in
            guard case .map(var members) = item.value, item["kind"] == nil, item["apiVersion"] == nil else {
                return item
            }
            for (key, text) in [("apiVersion", "v1"), ("kind", "Pod")] {
                let value = ManifestNode(line: item.line, column: item.column, value: .string(text))
                members.append(
                    ManifestNode.Member(key: key, line: item.line, column: item.column, node: value))
            }
            return ManifestNode(line: item.line, column: item.column, value: .map(members))
        }
    }

    private static func invalidLine(_ bytes: [UInt8]) -> Int {
        var line = 1
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { return line }
            line += 1
        }
        return 1
    }
}
