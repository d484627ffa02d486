import JSON

/// A template in the language of Go's text/template, over a JSON document, as `crictl -o go-template` takes it.
///
/// Everything that makes sense of a document is there: fields, variables, pipelines, `if`, `with`, `range`, `break`,
/// `continue`, trimming, comments, the built-in functions, and crictl's own `json`, `title`, `lower` and `upper`. A field
/// that isn't there is an error (`missingkey=error`). Named templates (`define`, `template`, `block`) and `call` are not.
struct GoTemplate: Sendable {
    let body: [GoNode]

    /// - Throws: ``Failure`` with the line and what is wrong there.
    init(_ text: String) throws {
        var parser = GoTemplateParser(try GoTemplateLexer.pieces(of: text))
        body = try parser.whole()
    }

    /// The text that the template makes of a document.
    ///
    /// - Throws: ``Failure`` that names the field or function and its line.
    func text(of document: JSONValue) throws -> String {
        var run = GoTemplateRun(document)
        _ = try run.walk(body, dot: .data(document))
        return run.output
    }
}

/// A piece of a template that is carried out.
indirect enum GoNode: Sendable {
    case text(String)
    case show(GoPipeline)
    case choice(GoPipeline, then: [GoNode], otherwise: [GoNode])
    /// `with`: as a choice, and the value is the dot.
    case scope(GoPipeline, then: [GoNode], otherwise: [GoNode])
    case range(GoPipeline, body: [GoNode], otherwise: [GoNode])
    case `break`
    case `continue`
}

/// `$name := command | command`
struct GoPipeline: Sendable {
    /// None, one, or for `range` two names.
    var names: [String] = []
    /// `:=` and not `=`.
    var declares = false
    var commands: [[GoOperand]] = []
    var line: Int
}

/// One word of a command.
indirect enum GoOperand: Sendable {
    case value(GoValue)
    case dot
    /// `.a.b`
    case field([String])
    /// `$`, `$x.a`
    case variable(String, [String])
    case function(String)
    /// `(…).a`
    case group(GoPipeline, [String])
}

/// What a template computes with: parts of the document, and numbers of its own.
///
/// crictl reads its document's numbers as they are written (Go's `json.Number`, a kind of text): one is never empty.
enum GoValue: Sendable, Hashable {
    case data(JSONValue)
    case int(Int64)
    case double(Double)

    static func text(_ text: String) -> GoValue { .data(.string(text)) }
    static func bool(_ value: Bool) -> GoValue { .data(.bool(value)) }

    /// What `if` makes of it.
    var isTrue: Bool {
        switch self {
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .data(.null): false
        case .data(.bool(let value)): value
        case .data(.string(let text)): !text.isEmpty
        case .data(.array(let items)): !items.isEmpty
        case .data(.object(let object)): !object.isEmpty
        case .data: true
        }
    }

    /// As Go's fmt prints it.
    var shown: String {
        switch self {
        case .int(let value): "\(value)"
        case .double(let value): String(decoding: JSONValue.double(value).encoded(pretty: false), as: UTF8.self)
        case .data(.null): "<no value>"
        case .data(let value): Self.shown(value)
        }
    }

    private static func shown(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .string(let text): text
        case .array(let items): "[" + items.map(shown).joined(separator: " ") + "]"
        case .object(let object):
            "map["
                + object.members.sorted { $0.key < $1.key }.map { "\($0.key):\(shown($0.value))" }
                .joined(separator: " ") + "]"
        default: String(decoding: value.encoded(pretty: false), as: UTF8.self)
        }
    }

    /// The value as JSON.
    var json: JSONValue {
        switch self {
        case .data(let value): value
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        }
    }

    /// What Go calls its type, for messages.
    var kind: String {
        switch json {
        case .null: "nil"
        case .bool: "bool"
        case .int, .uint, .double: "number"
        case .string: "string"
        case .array: "slice"
        case .object: "map"
        }
    }
}
