import JSON

/// Builds a template's tree of its pieces.
struct GoTemplateParser {
    private var pieces: ArraySlice<GoTemplateLexer.Piece>
    /// How many blocks are open; a template that nests deeper than any that a person writes is refused.
    private var depth = 0
    private var loops = 0

    private static let deepest = 64

    /// What ended a list of nodes.
    private enum Ending {
        case template
        case end
        /// `else`, with the words behind it.
        case otherwise([GoTemplateLexer.Word], line: Int)
    }

    init(_ pieces: [GoTemplateLexer.Piece]) { self.pieces = pieces[...] }

    mutating func whole() throws -> [GoNode] {
        let (nodes, ending) = try list()
        switch ending {
        case .template: return nodes
        case .end: throw Failure("an \"end\" has nothing to end")
        case .otherwise(_, let line): throw Failure("line \(line): an \"else\" belongs to nothing")
        }
    }

    private mutating func list() throws -> ([GoNode], Ending) {
        var nodes: [GoNode] = []
        while let piece = pieces.popFirst() {
            switch piece {
            case .text(let text): nodes.append(.text(text))
            case .action(let words, let line):
                let behind = words.dropFirst()
                switch words.first {
                case .name("end") where behind.isEmpty: return (nodes, .end)
                case .name("else"): return (nodes, .otherwise(Array(behind), line: line))
                case .name("if"): nodes.append(try block(behind, line, "if"))
                case .name("with"): nodes.append(try block(behind, line, "with"))
                case .name("range"): nodes.append(try block(behind, line, "range"))
                case .name("break") where behind.isEmpty: nodes.append(try jump(.break, "break", line))
                case .name("continue") where behind.isEmpty: nodes.append(try jump(.continue, "continue", line))
                case .name(let name) where ["define", "template", "block", "call"].contains(name):
                    throw Failure("line \(line): \"\(name)\" is not supported")
                default:
                    var pipeline = GoPipelineParser(words[...], line: line)
                    nodes.append(.show(try pipeline.whole()))
                }
            }
        }
        return (nodes, .template)
    }

    private func jump(_ node: GoNode, _ name: String, _ line: Int) throws -> GoNode {
        guard loops > 0 else { throw Failure("line \(line): \"\(name)\" stands outside of a \"range\"") }
        return node
    }

    private mutating func block(_ words: ArraySlice<GoTemplateLexer.Word>, _ line: Int, _ kind: String) throws -> GoNode
    {
        var parser = GoPipelineParser(words, line: line, isRange: kind == "range")
        let pipeline = try parser.whole()
        guard depth < Self.deepest else { throw Failure("line \(line): \(Self.deepest) blocks are open already") }
        depth += 1
        loops += kind == "range" ? 1 : 0
        let (then, ending) = try list()
        loops -= kind == "range" ? 1 : 0
        let otherwise = try self.otherwise(ending, line, kind)
        depth -= 1
        return switch kind {
        case "if": .choice(pipeline, then: then, otherwise: otherwise)
        case "with": .scope(pipeline, then: then, otherwise: otherwise)
        default: .range(pipeline, body: then, otherwise: otherwise)
        }
    }

    private mutating func otherwise(_ ending: Ending, _ line: Int, _ kind: String) throws -> [GoNode] {
        switch ending {
        case .end: return []
        case .template: throw Failure("line \(line): the \"\(kind)\" has no \"end\"")
        case .otherwise(let words, let place):
            if let first = words.first {
                // `else if` and `else with` share the end of what they belong to.
                guard first == .name(kind), kind != "range" else {
                    throw Failure("line \(place): unexpected words behind \"else\"")
                }
                return [try block(words.dropFirst(), place, kind)]
            }
            let (nodes, ending) = try list()
            guard case .end = ending else { throw Failure("line \(line): the \"\(kind)\" has no \"end\"") }
            return nodes
        }
    }
}

/// Reads one pipeline's words.
struct GoPipelineParser {
    private var words: ArraySlice<GoTemplateLexer.Word>
    private let line: Int
    private let isRange: Bool

    init(_ words: ArraySlice<GoTemplateLexer.Word>, line: Int, isRange: Bool = false) {
        self.words = words
        self.line = line
        self.isRange = isRange
    }

    mutating func whole() throws -> GoPipeline {
        let pipeline = try pipeline(depth: 0)
        guard words.isEmpty else { throw Failure("line \(line): a \")\" has no \"(\"") }
        return pipeline
    }

    private mutating func pipeline(depth: Int) throws -> GoPipeline {
        guard depth < 64 else { throw Failure("line \(line): too many parentheses") }
        var pipeline = GoPipeline(line: line)
        takeNames(&pipeline)
        while true {
            var command: [GoOperand] = []
            while let operand = try operand(depth: depth) { command.append(operand) }
            guard !command.isEmpty else { throw Failure("line \(line): a value is missing") }
            // What is piped in is the last argument, and only functions have arguments.
            if !pipeline.commands.isEmpty, case .function = command[0] {
            } else if !pipeline.commands.isEmpty {
                throw Failure("line \(line): what stands behind a \"|\" is no function")
            }
            pipeline.commands.append(command)
            guard words.first == .sign("|") else { return pipeline }
            words.removeFirst()
        }
    }

    /// `$x :=`, `$x =`, and for a range `$i, $x :=`.
    private mutating func takeNames(_ pipeline: inout GoPipeline) {
        var ahead = words
        var names: [String] = []
        while case .variable(let name)? = ahead.first, names.count < (isRange ? 2 : 1) {
            ahead.removeFirst()
            names.append(name)
            if ahead.first == .sign(",") { ahead.removeFirst() }
        }
        guard !names.isEmpty, ahead.first == .sign(":=") || ahead.first == .sign("=") else { return }
        pipeline.names = names
        pipeline.declares = ahead.removeFirst() == .sign(":=")
        words = ahead
    }

    private mutating func operand(depth: Int) throws -> GoOperand? {
        guard let word = words.first, word != .sign("|"), word != .sign(")") else { return nil }
        words.removeFirst()
        switch word {
        case .text(let text): return .value(.text(text))
        case .int(let value): return .value(.int(value))
        case .double(let value): return .value(.double(value))
        case .name("true"): return .value(.bool(true))
        case .name("false"): return .value(.bool(false))
        case .name("nil"): return .value(.data(.null))
        case .name(let name):
            guard GoFunctions.names.contains(name) else {
                throw Failure("line \(line): there is no function \"\(name)\"")
            }
            return .function(name)
        case .variable(let name): return .variable(name, chain())
        case .field(let names, _): return names.isEmpty ? .dot : .field(names)
        case .sign("("):
            let inside = try pipeline(depth: depth + 1)
            guard words.popFirst() == .sign(")") else { throw Failure("line \(line): a \")\" is missing") }
            return .group(inside, chain())
        case .sign(let sign): throw Failure("line \(line): unexpected \"\(sign)\"")
        }
    }

    /// Fields that follow without a space.
    private mutating func chain() -> [String] {
        guard case .field(let names, glued: true)? = words.first else { return [] }
        words.removeFirst()
        return names
    }
}
