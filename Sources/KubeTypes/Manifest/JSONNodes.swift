import JSON

/// Reads JSON into nodes.
///
/// A member whose value is null counts as left out, as in Go's decoder.
struct JSONNodes {
    private let bytes: [UInt8]
    private var lines: LineCursor
    private var values = 0
    private let limits: ManifestLimits

    /// - Throws: `SyntaxProblem` with the place.
    static func read(_ bytes: [UInt8], limits: ManifestLimits) throws(SyntaxProblem) -> ManifestNode {
        var nodes = JSONNodes(bytes: bytes, lines: LineCursor(bytes), limits: limits)
        do throws(JSONError) {
            var reader = try JSONReader(bytes, limits: JSONLimits(bytes: limits.bytes, depth: limits.depth))
            let node = try nodes.node(&reader)
            try reader.finish()
            return node
        } catch {
            throw SyntaxProblem(line: error.line, column: error.column, message: "is not JSON: \(error.reason)")
        }
    }

    private init(bytes: [UInt8], lines: LineCursor, limits: ManifestLimits) {
        self.bytes = bytes
        self.lines = lines
        self.limits = limits
    }

    private mutating func node(_ reader: inout JSONReader) throws(JSONError) -> ManifestNode {
        values += 1
        if values > limits.values { throw reader.failure("the document has more than \(limits.values) values") }
        let kind = reader.peek()
        let start = reader.offset
        let place = lines.place(start)
        let value: ManifestNode.Value
        switch kind {
        case .null:
            _ = try reader.readNull()
            value = .null
        case .bool:
            let flag = try reader.readBool()
            value = .bool(flag, text: flag ? "true" : "false")
        case .string: value = .string(try reader.readString())
        case .number:
            let range = try reader.skipValueRange()
            let text = String(decoding: bytes[range], as: UTF8.self)
            value = Int64(text).map { .int($0, text: text) } ?? .float(Double(text) ?? .infinity, text: text)
        case .array:
            var elements: [ManifestNode] = []
            try reader.readArray { (reader) throws(JSONError) in elements.append(try node(&reader)) }
            value = .list(elements)
        case .object: value = .map(try members(&reader))
        case nil: throw reader.failure("a value is missing")
        }
        return ManifestNode(line: place.line, column: place.column, value: value)
    }

    private mutating func members(_ reader: inout JSONReader) throws(JSONError) -> [ManifestNode.Member] {
        var members: [ManifestNode.Member] = []
        var seen: Set<String> = []
        try reader.readObject { (reader, key) throws(JSONError) in
            let name = key.string
            guard seen.insert(name).inserted else { throw reader.failure("the key \(quoted(name)) stands there twice") }
            let place = lines.place(nameStart(before: reader.offset))
            members.append(
                ManifestNode.Member(key: name, line: place.line, column: place.column, node: try node(&reader)))
        }
        return members
    }

    /// Where the name starts whose colon ends before `offset`: back over the closing quote to one that isn't escaped.
    private func nameStart(before offset: Int) -> Int {
        var position = min(offset, bytes.count) - 1
        while position > 0, bytes[position] != UInt8(ascii: "\"") { position -= 1 }
        position -= 1
        while position > 0 {
            if bytes[position] == UInt8(ascii: "\"") {
                var backslashes = 0
                while position - backslashes > 0, bytes[position - backslashes - 1] == UInt8(ascii: "\\") {
                    backslashes += 1
                }
                if backslashes % 2 == 0 { return position }
            }
            position -= 1
        }
        return max(position, 0)
    }
}

/// Offsets to lines and columns, asked for from the text's start to its end: one pass, however long the lines are.
struct LineCursor {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var column = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// From 1; columns count characters. An offset before the last one asked for takes the last one's place.
    mutating func place(_ target: Int) -> (line: Int, column: Int) {
        while offset < min(target, bytes.count) {
            if bytes[offset] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if bytes[offset] & 0xC0 != 0x80 {
                column += 1
            }
            offset += 1
        }
        return (line, column)
    }
}
