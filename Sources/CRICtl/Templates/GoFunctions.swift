import JSON

/// The functions of Go's text/template, and crictl's own.
enum GoFunctions {
    static let names: Set<String> = [
        "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "println", "printf",
        "html", "js", "urlquery", "json", "title", "lower", "upper",
    ]

    static func call(_ name: String, _ arguments: [GoValue], _ line: Int) throws -> GoValue {
        do {
            switch name {
            case "not": return .bool(!(try one(arguments)).isTrue)
            case "eq":
                guard arguments.count > 1 else { throw Failure("two values are needed") }
                return .bool(arguments.dropFirst().contains { same(arguments[0], $0) })
            case "ne", "lt", "le", "gt", "ge": return .bool(try compare(name, arguments))
            case "len": return .int(Int64(try length(one(arguments))))
            case "index": return try index(arguments)
            case "slice": return try slice(arguments)
            case "print": return .text(printed(arguments))
            case "println": return .text(arguments.map(\.shown).joined(separator: " ") + "\n")
            case "printf": return .text(try GoFormat.text(arguments))
            case "html": return .text(escaped(try one(arguments).shown, html))
            case "js": return .text(escaped(try one(arguments).shown, script))
            case "urlquery": return .text(query(try one(arguments).shown))
            // Go's encoder ends with a line break, and sorts an object's members.
            case "json": return .text(text(try one(arguments).json.sortedByKey()) + "\n")
            case "title": return .text(titled(try string(one(arguments))))
            case "lower": return .text(try string(one(arguments)).lowercased())
            case "upper": return .text(try string(one(arguments)).uppercased())
            default: throw Failure("there is no such function")
            }
        } catch let failure as Failure {
            throw Failure("line \(line): \(name): \(failure.description)")
        }
    }

    private static func one(_ arguments: [GoValue]) throws -> GoValue {
        guard arguments.count == 1 else { throw Failure("one value is needed, \(arguments.count) are given") }
        return arguments[0]
    }

    private static func string(_ value: GoValue) throws -> String {
        guard case .data(.string(let text)) = value else { throw Failure("a string is needed, not a \(value.kind)") }
        return text
    }

    private static func text(_ value: JSONValue) -> String {
        String(decoding: value.encoded(pretty: false), as: UTF8.self)
    }

    private static func number(_ value: GoValue) -> Double? {
        switch value.json {
        case .int(let number): Double(number)
        case .uint(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    private static func same(_ left: GoValue, _ right: GoValue) -> Bool {
        if let left = number(left), let right = number(right) { return left == right }
        return left.json == right.json
    }

    private static func compare(_ name: String, _ arguments: [GoValue]) throws -> Bool {
        guard arguments.count == 2 else { throw Failure("two values are needed, \(arguments.count) are given") }
        let (left, right) = (arguments[0], arguments[1])
        if name == "ne" { return !same(left, right) }
        let isLess: Bool
        if let left = number(left), let right = number(right) {
            isLess = left < right
        } else if case .string(let left) = left.json, case .string(let right) = right.json {
            isLess = left < right
        } else {
            throw Failure("a \(left.kind) and a \(right.kind) have no order")
        }
        return switch name {
        case "lt": isLess
        case "le": isLess || same(left, right)
        case "gt": !isLess && !same(left, right)
        default: !isLess
        }
    }

    private static func length(_ value: GoValue) throws -> Int {
        switch value.json {
        case .string(let text): text.utf8.count
        case .array(let items): items.count
        case .object(let object): object.count
        default: throw Failure("a \(value.kind) has no length")
        }
    }

    private static func index(_ arguments: [GoValue]) throws -> GoValue {
        guard var value = arguments.first else { throw Failure("a value is needed") }
        for key in arguments.dropFirst() {
            switch (value.json, key.json) {
            case (.array(let items), .int(let position)):
                guard position >= 0, position < items.count else {
                    throw Failure("index out of range: \(position) of \(items.count)")
                }
                value = .data(items[Int(position)])
            // A name that isn't there gives nothing, unlike a field.
            case (.object(let object), .string(let name)): value = .data(object[name] ?? .null)
            default: throw Failure("can't index a \(value.kind) by a \(key.kind)")
            }
        }
        return value
    }

    private static func slice(_ arguments: [GoValue]) throws -> GoValue {
        guard let value = arguments.first else { throw Failure("a value is needed") }
        let count = try length(value)
        let bounds = arguments.dropFirst().compactMap { $0.json.intValue }
        let (from, to) = (bounds.first ?? 0, bounds.dropFirst().first ?? Int64(count))
        guard bounds.count == arguments.count - 1, bounds.count <= 2, from >= 0, from <= to, to <= count else {
            throw Failure("out of range of \(count)")
        }
        switch value.json {
        case .array(let items): return .data(.array(Array(items[Int(from)..<Int(to)])))
        case .string(let text): return .text(String(decoding: Array(text.utf8)[Int(from)..<Int(to)], as: UTF8.self))
        default: throw Failure("can't cut a \(value.kind)")
        }
    }

    /// As Go's Sprint: a space between two values neither of which is a string.
    private static func printed(_ values: [GoValue]) -> String {
        var text = ""
        for (index, value) in values.enumerated() {
            if index > 0, value.kind != "string", values[index - 1].kind != "string" { text += " " }
            text += value.shown
        }
        return text
    }

    private static func titled(_ text: String) -> String {
        var result = ""
        var begins = true
        for character in text {
            result += begins ? character.uppercased() : String(character)
            begins = !(character.isLetter || character.isNumber || character == "'")
        }
        return result
    }

    private static let html: [Character: String] = [
        "<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", "\"": "&#34;", "\0": "\u{FFFD}",
    ]
    private static let script: [Character: String] = [
        "\\": "\\\\", "'": "\\'", "\"": "\\\"", "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
        "\n": "\\u000A", "\r": "\\u000D", "\t": "\\u0009",
    ]

    private static func escaped(_ text: String, _ table: [Character: String]) -> String {
        text.map { table[$0] ?? String($0) }.joined()
    }

    private static func query(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            let plain = Character(UnicodeScalar(byte))
            if byte < 128, plain.isLetter || plain.isNumber || "-_.~".contains(plain) { return String(plain) }
            return byte == 0x20 ? "+" : "%" + String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }.joined()
    }
}
