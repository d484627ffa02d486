/// Takes a file apart into its documents.
enum ManifestDocuments {
    /// The documents in order; what is empty or only comments is left out.
    static func read(
        _ bytes: [UInt8], text: String, limits: ManifestLimits
    ) -> [Result<ManifestNode, SyntaxProblem>] {
        let first = bytes.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        guard first == UInt8(ascii: "{") else { return yaml(bytes, limits) }
        do throws(SyntaxProblem) {
            return [.success(try JSONNodes.read(bytes, limits: limits))]
        } catch {
            // YAML may begin with a brace too; but when it is neither, JSON is what was meant.
            let documents = yaml(bytes, limits)
            let isYAML = documents.allSatisfy { document in
                if case .success = document { true } else { false }
            }
            return isYAML ? documents : [.failure(error)]
        }
    }

    private static func yaml(_ bytes: [UInt8], _ limits: ManifestLimits) -> [Result<ManifestNode, SyntaxProblem>] {
        var results: [Result<ManifestNode, SyntaxProblem>] = []
        for part in split(bytes) {
            let text = String(decoding: bytes[part.range], as: UTF8.self)
            do throws(SyntaxProblem) {
                results += try YAMLNodes.read(text, before: part.before, limits: limits).map { .success($0) }
            } catch {
                results.append(.failure(error))
            }
            if results.count > limits.documents {
                let problem = SyntaxProblem(
                    line: part.before + 1, column: 1, message: "has more than \(limits.documents) documents")
                return results.prefix(limits.documents) + [.failure(problem)]
            }
        }
        return results
    }

    /// Cuts before every line that starts with `---`, which in YAML is a document's start wherever it stands.
    ///
    /// What comes before and holds only directives and comments stays with the document that follows.
    private static func split(_ bytes: [UInt8]) -> [(range: Range<Int>, before: Int)] {
        var parts: [(range: Range<Int>, before: Int)] = []
        var start = 0
        var startLine = 0
        var line = 0
        var hasContent = false
        var position = 0
        while position < bytes.count {
            let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
            let text = bytes[position..<end]
            let isStart = text.starts(with: "---".utf8) && (text.count == 3 || isWhite(text[text.startIndex + 3]))
            if isStart, hasContent {
                parts.append((start..<position, startLine))
                start = position
                startLine = line
                hasContent = false
            }
            if isStart {
                hasContent = true
            } else if let first = text.first(where: { !isWhite($0) }) {
                hasContent = hasContent || (first != UInt8(ascii: "#") && text.first != UInt8(ascii: "%"))
            }
            position = end
            line += 1
        }
        if hasContent { parts.append((start..<bytes.count, startLine)) }
        return parts
    }

    private static func isWhite(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}
