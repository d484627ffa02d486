/// A value of a TOML document (toml.io, v1.0.0), as far as registry configuration needs it: no dates, no floats.
indirect enum TOMLValue: Equatable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case array([TOMLValue])
    case table(TOMLTable)
}

/// A table that keeps its keys in the document's order: mirrors are tried in it.
struct TOMLTable: Equatable {
    private(set) var keys: [String] = []
    private var values: [String: TOMLValue] = [:]
    /// Made by the path of another table's header, or by a dotted key: may still get a header of its own.
    var isImplied = false

    subscript(key: String) -> TOMLValue? {
        get { values[key] }
        set {
            if values[key] == nil, newValue != nil { keys.append(key) }
            values[key] = newValue
        }
    }

    /// Takes a value out and leaves its key in place: what is changed in its own hands isn't copied.
    mutating func take(_ key: String) -> TOMLValue? {
        let value = values[key]
        values[key] = nil
        return value
    }

    mutating func put(_ value: TOMLValue, back key: String, isNew: Bool) {
        if isNew { keys.append(key) }
        values[key] = value
    }
}

/// What is wrong with a document, and in which line.
struct TOMLError: Error, Hashable, CustomStringConvertible {
    var line: Int
    var reason: String
    var description: String { "line \(line): \(reason)" }
}

/// Reads TOML front to back. Bounded: the document by its caller, nesting by ``depthLimit``, and nothing is read twice.
struct TOMLReader {
    private static let depthLimit = 16
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1

    static func read(_ bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
        var reader = TOMLReader(bytes: bytes)
        return try reader.document()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func wrong(_ reason: String) -> TOMLError { TOMLError(line: line, reason: reason) }

    // MARK: Structure

    private mutating func document() throws(TOMLError) -> TOMLTable {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw wrong("not UTF-8") }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
        var root = TOMLTable()
        var path: [String] = []
        try skipLines()
        while let byte = peek {
            if byte == UInt8(ascii: "[") {
                path = try header()
                try Self.update(&root, path[...], line) { (table) throws(TOMLError) in
                    guard table.isImplied else { throw TOMLError(line: line, reason: "a table that is there already") }
                    table.isImplied = false
                }
            } else {
                let (keys, value) = try pair(depth: 0)
                try Self.update(&root, path[...], line) { (table) throws(TOMLError) in
                    try Self.set(&table, keys[...], value, line)
                }
            }
            try endOfLine()
        }
        return root
    }

    private mutating func header() throws(TOMLError) -> [String] {
        index += 1
        if peek == UInt8(ascii: "[") { throw wrong("arrays of tables ([[…]]) have no meaning here") }
        let path = try keys()
        guard peek == UInt8(ascii: "]") else { throw wrong("a table's header must end in ]") }
        index += 1
        return path
    }

    private mutating func pair(depth: Int) throws(TOMLError) -> (keys: [String], value: TOMLValue) {
        let path = try keys()
        guard peek == UInt8(ascii: "=") else { throw wrong("a key must be followed by = and its value") }
        index += 1
        skipBlanks()
        return (path, try value(depth: depth))
    }

    /// Finds or makes the table of that path and hands it to `change`.
    private static func update(
        _ table: inout TOMLTable, _ path: ArraySlice<String>, _ line: Int,
        _ change: (inout TOMLTable) throws(TOMLError) -> Void
    ) throws(TOMLError) {
        guard let key = path.first else { return try change(&table) }
        var child = TOMLTable()
        child.isImplied = true
        var isNew = false
        switch table.take(key) {
        case .table(let found): child = found
        case nil: isNew = true
        default: throw TOMLError(line: line, reason: "\"\(printable(key.utf8))\" is a value, and no table")
        }
        try update(&child, path.dropFirst(), line, change)
        table.put(.table(child), back: key, isNew: isNew)
    }

    private static func set(
        _ table: inout TOMLTable, _ path: ArraySlice<String>, _ value: TOMLValue, _ line: Int
    ) throws(TOMLError) {
        guard let last = path.last else { return }
        try update(&table, path.dropLast(), line) { (table) throws(TOMLError) in
            guard table[last] == nil else {
                throw TOMLError(line: line, reason: "\"\(printable(last.utf8))\" is there already")
            }
            table[last] = value
        }
    }

    // MARK: Keys

    private mutating func keys() throws(TOMLError) -> [String] {
        var path: [String] = []
        while true {
            skipBlanks()
            path.append(try key())
            guard path.count <= Self.depthLimit else { throw wrong("nested deeper than \(Self.depthLimit) tables") }
            skipBlanks()
            guard peek == UInt8(ascii: ".") else { return path }
            index += 1
        }
    }

    private mutating func key() throws(TOMLError) -> String {
        switch peek {
        case UInt8(ascii: "\""): return try basicString()
        case UInt8(ascii: "'"): return try literalString()
        default:
            let start = index
            while let byte = peek, Self.isBare(byte) { index += 1 }
            guard index > start else { throw wrong("a key is missing") }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 95
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(TOMLError) -> TOMLValue {
        guard depth < Self.depthLimit else { throw wrong("nested deeper than \(Self.depthLimit) values") }
        switch peek {
        case UInt8(ascii: "\""): return .string(try basicString())
        case UInt8(ascii: "'"): return .string(try literalString())
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "{"): return .table(try inlineTable(depth: depth))
        default: return try word()
        }
    }

    private mutating func word() throws(TOMLError) -> TOMLValue {
        let start = index
        while let byte = peek, Self.isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") {
            index += 1
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        switch text {
        case "": throw wrong("a value is missing")
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default:
            guard let number = Int64(String(text.filter { $0 != "_" })) else {
                throw wrong("\"\(printable(text.utf8))\" is no value: texts need quotes")
            }
            return .integer(number)
        }
    }

    private mutating func array(depth: Int) throws(TOMLError) -> [TOMLValue] {
        index += 1
        var items: [TOMLValue] = []
        while true {
            try skipLines()
            if peek == UInt8(ascii: "]") { break }
            items.append(try value(depth: depth + 1))
            try skipLines()
            if peek == UInt8(ascii: ",") {
                index += 1
            } else if peek != UInt8(ascii: "]") {
                throw wrong("an array's items must be separated by commas, and end in ]")
            }
        }
        index += 1
        return items
    }

    private mutating func inlineTable(depth: Int) throws(TOMLError) -> TOMLTable {
        index += 1
        var table = TOMLTable()
        skipBlanks()
        if peek == UInt8(ascii: "}") {
            index += 1
            return table
        }
        while true {
            let (keys, value) = try pair(depth: depth + 1)
            try Self.set(&table, keys[...], value, line)
            skipBlanks()
            if peek == UInt8(ascii: "}") { break }
            guard peek == UInt8(ascii: ",") else { throw wrong("a table's pairs must be separated by commas") }
            index += 1
        }
        index += 1
        return table
    }

    // MARK: Strings

    private mutating func literalString() throws(TOMLError) -> String {
        index += 1
        let start = index
        while let byte = peek, byte != UInt8(ascii: "'") {
            guard byte >= 0x20 || byte == 0x09, byte != 0x7f else { throw wrong("a text goes on over the line's end") }
            index += 1
        }
        guard peek != nil else { throw wrong("a text without its closing quote") }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        index += 1
        if text.isEmpty && peek == UInt8(ascii: "'") { throw wrong("texts of several lines are not read here") }
        return text
    }

    private mutating func basicString() throws(TOMLError) -> String {
        index += 1
        var text: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 || byte == 0x09, byte != 0x7f else { throw wrong("a text goes on over the line's end") }
            index += 1
            if byte == UInt8(ascii: "\\") { text += try escape() } else { text.append(byte) }
        }
        guard peek != nil else { throw wrong("a text without its closing quote") }
        index += 1
        if text.isEmpty && peek == UInt8(ascii: "\"") { throw wrong("texts of several lines are not read here") }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func escape() throws(TOMLError) -> [UInt8] {
        let byte = peek
        index += 1
        switch byte {
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [byte ?? 0]
        case UInt8(ascii: "u"): return try codePoint(digits: 4)
        case UInt8(ascii: "U"): return try codePoint(digits: 8)
        default: throw wrong("an escape that is not known")
        }
    }

    private mutating func codePoint(digits: Int) throws(TOMLError) -> [UInt8] {
        guard index + digits <= bytes.count,
            let number = UInt32(String(decoding: bytes[index..<index + digits], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(number)
        else { throw wrong("an escape that is no character") }
        index += digits
        return Array(String(Character(scalar)).utf8)
    }

    // MARK: What stands between

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 { index += 1 }
    }

    /// Blanks, comments and ends of lines.
    private mutating func skipLines() throws(TOMLError) {
        while true {
            skipBlanks()
            skipComment()
            guard let byte = peek, byte == 0x0a || byte == 0x0d else { return }
            try lineBreak()
        }
    }

    private mutating func skipComment() {
        guard peek == UInt8(ascii: "#") else { return }
        while let byte = peek, byte != 0x0a { index += 1 }
    }

    private mutating func lineBreak() throws(TOMLError) {
        if peek == 0x0d { index += 1 }
        guard peek == 0x0a else { throw wrong("a carriage return in the middle of a line") }
        index += 1
        line += 1
    }

    private mutating func endOfLine() throws(TOMLError) {
        skipBlanks()
        skipComment()
        guard let byte = peek else { return }
        guard byte == 0x0a || byte == 0x0d else { throw wrong("something stands behind the value") }
        try skipLines()
    }
}
