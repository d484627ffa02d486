/// Cuts a template into text and actions, and an action into words.
struct GoTemplateLexer {
    /// Text as it is, or the words between `{{` and `}}`.
    enum Piece: Sendable {
        case text(String)
        case action([Word], line: Int)
    }

    enum Word: Sendable, Hashable {
        case text(String)
        case int(Int64)
        case double(Double)
        /// Letters: a keyword, a function, `true`, `nil`.
        case name(String)
        /// `.`, or `.a` with the names behind each dot; whether it follows the word before without a space.
        case field([String], glued: Bool)
        /// `$x`, without the sign.
        case variable(String)
        /// `|`, `(`, `)`, `,`, `:=`, `=`
        case sign(String)
    }

    private var rest: Substring
    private var line: Int

    static func pieces(of template: String) throws -> [Piece] {
        var pieces: [Piece] = []
        var rest = Substring(template)
        var line = 1
        var trimsNext = false
        while let begin = rest.firstRange(of: "{{") {
            var text = rest[..<begin.lowerBound]
            if trimsNext { text = text.trimmingPrefix(while: \.isWhitespace) }
            line += rest[..<begin.lowerBound].count { $0.isNewline }
            var inside = rest[begin.upperBound...]
            if inside.hasPrefix("-"), inside.dropFirst().first?.isWhitespace ?? false {
                while text.last?.isWhitespace ?? false { text.removeLast() }
                inside = inside.dropFirst()
            }
            if !text.isEmpty { pieces.append(.text(String(text))) }
            var lexer = GoTemplateLexer(rest: inside, line: line)
            let words: [Word]
            (words, trimsNext) = try lexer.action()
            if !words.isEmpty { pieces.append(.action(words, line: line)) }
            line = lexer.line
            rest = lexer.rest
        }
        if trimsNext { rest = rest.trimmingPrefix(while: \.isWhitespace) }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        return pieces
    }

    /// The words up to `}}`, and whether the text behind is trimmed. No words are a comment.
    private mutating func action() throws -> ([Word], trims: Bool) {
        var words: [Word] = []
        var spaced = true
        while let next = rest.first {
            if rest.hasPrefix("}}") { return (try end(words, 2), false) }
            if next == "-", rest.hasPrefix("-}}"), spaced { return (try end(words, 3), true) }
            if next.isWhitespace {
                if next.isNewline { line += 1 }
                rest.removeFirst()
                spaced = true
            } else if rest.hasPrefix("/*"), words.isEmpty {
                return try comment()
            } else {
                words.append(try word(spaced: spaced))
                spaced = false
            }
        }
        throw Failure("line \(line): an action has no end: \"}}\" is missing")
    }

    private mutating func end(_ words: [Word], _ length: Int) throws -> [Word] {
        rest = rest.dropFirst(length)
        if words.isEmpty { throw Failure("line \(line): \"{{}}\" has nothing in it") }
        return words
    }

    private mutating func comment() throws -> ([Word], trims: Bool) {
        guard let end = rest.firstRange(of: "*/") else { throw Failure("line \(line): a comment has no end") }
        line += rest[..<end.lowerBound].count { $0.isNewline }
        rest = rest[end.upperBound...]
        let trims = rest.trimmingPrefix(while: \.isWhitespace).hasPrefix("-}}")
        rest = rest.trimmingPrefix(while: \.isWhitespace).trimmingPrefix(trims ? "-" : "")
        guard rest.hasPrefix("}}") else { throw Failure("line \(line): a comment must end its action") }
        rest = rest.dropFirst(2)
        return ([], trims)
    }

    private mutating func word(spaced: Bool) throws -> Word {
        switch rest.first {
        case "\"": return .text(try quoted())
        case "`":
            rest.removeFirst()
            let inside = rest.prefix { $0 != "`" }
            rest = rest.dropFirst(inside.count)
            guard rest.popFirst() == "`" else { throw Failure("line \(line): a raw string has no end") }
            line += inside.count { $0.isNewline }
            return .text(String(inside))
        case "$":
            rest.removeFirst()
            return .variable(name())
        case "." where !(rest.dropFirst().first?.isNumber ?? false):
            var names: [String] = []
            while rest.first == ".", names.isEmpty || Self.isNameStart(rest.dropFirst().first) {
                rest.removeFirst()
                let name = name()
                if name.isEmpty { break }
                names.append(name)
            }
            return .field(names, glued: !spaced)
        case let first? where Self.isNameStart(first): return .name(name())
        case let first? where first.isNumber || first == "-" || first == "+" || first == ".": return try number()
        default: break
        }
        for sign in [":=", "=", "|", "(", ")", ","] where rest.hasPrefix(sign) {
            rest = rest.dropFirst(sign.count)
            return .sign(sign)
        }
        throw Failure("line \(line): unexpected \"\(rest.prefix(1))\" in an action")
    }

    private mutating func number() throws -> Word {
        let text = rest.prefix { $0.isLetter || $0.isNumber || "+-._".contains($0) }
        rest = rest.dropFirst(text.count)
        if let value = Int64(text) { return .int(value) }
        if text.hasPrefix("0x"), let value = Int64(text.dropFirst(2), radix: 16) { return .int(value) }
        if let value = Double(text) { return .double(value) }
        throw Failure("line \(line): \(text) is no number")
    }

    private mutating func quoted() throws -> String {
        var text = ""
        rest.removeFirst()
        while let next = rest.popFirst() {
            switch next {
            case "\"": return text
            case "\\":
                guard let escape = rest.popFirst(), let plain = Self.escapes[escape] else {
                    throw Failure("line \(line): a string has a \"\\\" with nothing known behind")
                }
                text.append(plain)
            default: text.append(next)
            }
        }
        throw Failure("line \(line): a string has no end")
    }

    private static let escapes: [Character: Character] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "\"": "\"", "'": "'", "0": "\0",
    ]

    private mutating func name() -> String {
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        rest = rest.dropFirst(name.count)
        return String(name)
    }

    private static func isNameStart(_ character: Character?) -> Bool {
        character.map { $0.isLetter || $0 == "_" } ?? false
    }
}
