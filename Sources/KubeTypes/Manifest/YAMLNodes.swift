import Yams

/// Reads one YAML document after another into nodes, resolving plain words as upstream's reader (YAML 1.1) does.
struct YAMLNodes {
    private let limits: ManifestLimits
    /// Lines of the file before this text.
    private let before: Int
    private var values = 0

    /// The documents of a text that holds no `---` between them; what is empty is left out.
    ///
    /// - Throws: `SyntaxProblem` with the place, lines counted from `before`.
    static func read(
        _ text: String, before: Int, limits: ManifestLimits
    ) throws(SyntaxProblem) -> [ManifestNode] {
        if let line = AliasGuard.suspiciousLine(text) {
            throw SyntaxProblem(
                line: before + line, column: 1,
                message: "has more aliases than a manifest needs, in places where they could multiply; write them out")
        }
        var documents: [ManifestNode] = []
        do {
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                var nodes = YAMLNodes(limits: limits, before: before)
                let node = try nodes.node(root, depth: 0)
                if !node.isNull { documents.append(node) }
                if documents.count > limits.documents {
                    throw SyntaxProblem(
                        line: node.line, column: 1, message: "has more than \(limits.documents) documents")
                }
            }
        } catch let problem as SyntaxProblem {
            throw problem
        } catch let error as YamlError {
            throw problem(error, text: text, before: before)
        } catch {
            throw SyntaxProblem(line: before + 1, column: 1, message: "is not YAML: \(error)")
        }
        return documents
    }

    private mutating func node(_ source: Node, depth: Int) throws(SyntaxProblem) -> ManifestNode {
        let line = before + (source.mark?.line ?? 1)
        let column = source.mark?.column ?? 1
        func refuse(_ message: String) -> SyntaxProblem { SyntaxProblem(line: line, column: column, message: message) }
        values += 1
        guard values <= limits.values else {
            throw refuse("has more than \(limits.values) values once its aliases are followed")
        }
        guard depth <= limits.depth else { throw refuse("is nested deeper than \(limits.depth) levels") }
        switch source {
        case .scalar(let scalar):
            guard let value = YAMLScalar.resolve(scalar) else {
                throw refuse("the tag \(quoted(scalar.tag.description)) has no meaning for this value")
            }
            return ManifestNode(line: line, column: column, value: value)
        case .sequence(let sequence):
            var elements: [ManifestNode] = []
            elements.reserveCapacity(sequence.count)
            for element in sequence { elements.append(try node(element, depth: depth + 1)) }
            return ManifestNode(line: line, column: column, value: .list(elements))
        case .mapping(let mapping):
            return ManifestNode(line: line, column: column, value: .map(try members(mapping, depth: depth)))
        case .alias: throw refuse("has an alias to nothing")
        }
    }

    private mutating func members(
        _ mapping: Node.Mapping, depth: Int
    ) throws(SyntaxProblem) -> [ManifestNode.Member] {
        var members: [ManifestNode.Member] = []
        members.reserveCapacity(mapping.count)
        var merged: [ManifestNode.Member] = []
        var seen: Set<String> = []
        for (key, value) in mapping {
            let line = before + (key.mark?.line ?? 1)
            let column = key.mark?.column ?? 1
            guard case .scalar(let scalar) = key, let name = YAMLScalar.key(scalar) else {
                throw SyntaxProblem(line: line, column: column, message: "a key must be a plain word or a string")
            }
            if name == "<<", scalar.style == .plain {
                merged += try mergeable(try node(value, depth: depth + 1))
                continue
            }
            guard seen.insert(name).inserted else {
                throw SyntaxProblem(line: line, column: column, message: "the key \(quoted(name)) stands there twice")
            }
            members.append(
                ManifestNode.Member(key: name, line: line, column: column, node: try node(value, depth: depth + 1)))
        }
        // What is written at the place itself wins over what was merged in, and what was merged first over the rest.
        for member in merged where seen.insert(member.key).inserted { members.append(member) }
        return members
    }

    private func mergeable(_ node: ManifestNode) throws(SyntaxProblem) -> [ManifestNode.Member] {
        switch node.value {
        case .map(let members): return members
        case .list(let elements):
            var all: [ManifestNode.Member] = []
            for element in elements {
                guard case .map(let members) = element.value else { break }
                all += members
            }
            return all
        default:
            throw SyntaxProblem(line: node.line, column: node.column, message: "'<<' can only merge maps")
        }
    }

    private static func problem(_ error: YamlError, text: String, before: Int) -> SyntaxProblem {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let around = (context?.text).map { " " + $0.trimmed } ?? ""
            return SyntaxProblem(
                line: before + mark.line, column: mark.column, message: "is not YAML:\(around) \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            // The library tells the place of the first of the two.
            let again = secondLine(of: keys.first ?? "", at: context.mark, in: text)
            return SyntaxProblem(
                line: before + (again ?? context.mark.line), column: context.mark.column,
                message: "the key \(keys.map(quoted).joined(separator: ", ")) stands there twice"
                    + (again == nil ? "" : "; first on line \(before + context.mark.line)"))
        case .reader(let problem, let offset, _, _):
            return SyntaxProblem(
                line: before + 1, column: 1, message: "is not YAML: \(problem) at byte \(offset ?? 0)")
        default:
            return SyntaxProblem(line: before + 1, column: 1, message: "is not YAML")
        }
    }

    /// Where a key of a block mapping comes again: the next line that starts with it at the same column, before the
    /// mapping ends. Nil when it is written in another way.
    private static func secondLine(of key: String, at mark: Mark, in text: String) -> Int? {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated().dropFirst(mark.line) {
            let indent = line.prefix { $0 == 0x20 }.count
            let rest = line.dropFirst(indent)
            if indent >= mark.column || rest.isEmpty || rest.first == 0x0D { continue }
            guard indent == mark.column - 1 else { return nil }
            let name = rest.prefix { $0 != UInt8(ascii: ":") && $0 != 0x20 }
            if name.elementsEqual(key.utf8) { return index + 1 }
        }
        return nil
    }
}

extension String {
    /// Without white space at its ends.
    fileprivate var trimmed: String {
        var text = Substring(self)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return String(text)
    }
}
