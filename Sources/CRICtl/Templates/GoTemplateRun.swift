import JSON

/// Carries a template out.
struct GoTemplateRun {
    private(set) var output = ""
    /// The variables in the order of their declaration; a later one hides an earlier one of its name.
    private var variables: [(name: String, value: GoValue)]

    /// More than any output that a person reads: a template can't fill the memory.
    private static let longestOutput = 64 << 20

    enum Flow {
        case on, `break`, `continue`
    }

    init(_ document: JSONValue) { variables = [("", .data(document))] }

    mutating func walk(_ nodes: [GoNode], dot: GoValue) throws -> Flow {
        let scope = variables.count
        defer { variables.removeSubrange(scope...) }
        for node in nodes {
            let flow = try step(node, dot)
            if flow != .on { return flow }
        }
        return .on
    }

    private mutating func step(_ node: GoNode, _ dot: GoValue) throws -> Flow {
        switch node {
        case .text(let text): output += text
        case .show(let pipeline):
            let value = try value(of: pipeline, dot)
            if pipeline.names.isEmpty { output += value.shown } else { try assign(pipeline, [value]) }
        case .choice(let pipeline, let then, let otherwise):
            return try scoped { run in
                let value = try run.assigned(pipeline, dot)
                return try run.walk(value.isTrue ? then : otherwise, dot: dot)
            }
        case .scope(let pipeline, let then, let otherwise):
            return try scoped { run in
                let value = try run.assigned(pipeline, dot)
                return value.isTrue ? try run.walk(then, dot: value) : try run.walk(otherwise, dot: dot)
            }
        case .range(let pipeline, let body, let otherwise): return try range(pipeline, body, otherwise, dot)
        case .break: return .break
        case .continue: return .continue
        }
        guard output.utf8.count <= Self.longestOutput else { throw Failure("the template's output has no end") }
        return .on
    }

    private mutating func scoped(_ body: (inout GoTemplateRun) throws -> Flow) rethrows -> Flow {
        let scope = variables.count
        defer { variables.removeSubrange(scope...) }
        return try body(&self)
    }

    private mutating func assigned(_ pipeline: GoPipeline, _ dot: GoValue) throws -> GoValue {
        let value = try value(of: pipeline, dot)
        if !pipeline.names.isEmpty { try assign(pipeline, [value]) }
        return value
    }

    private mutating func range(
        _ pipeline: GoPipeline, _ body: [GoNode], _ otherwise: [GoNode], _ dot: GoValue
    ) throws -> Flow {
        let value = try value(of: pipeline, dot)
        let items: [(key: GoValue, value: GoValue)]
        switch value.json {
        case .array(let all): items = all.enumerated().map { (.int(Int64($0.offset)), .data($0.element)) }
        case .object(let object):
            items = object.members.sorted { $0.key < $1.key }.map { (.text($0.key), .data($0.value)) }
        case .null: items = []
        default: throw Failure("line \(pipeline.line): range can't go over a \(value.kind)")
        }
        if items.isEmpty { return try walk(otherwise, dot: dot) }
        for item in items {
            let flow = try scoped { run in
                if !pipeline.names.isEmpty {
                    try run.assign(pipeline, pipeline.names.count == 2 ? [item.key, item.value] : [item.value])
                }
                return try run.walk(body, dot: item.value)
            }
            if flow == .break { break }
        }
        return .on
    }

    private mutating func assign(_ pipeline: GoPipeline, _ values: [GoValue]) throws {
        for (name, value) in zip(pipeline.names, values) {
            if pipeline.declares {
                variables.append((name, value))
            } else if let index = variables.lastIndex(where: { $0.name == name }) {
                variables[index].value = value
            } else {
                throw Failure("line \(pipeline.line): the variable $\(name) isn't declared")
            }
        }
    }

    private func value(of pipeline: GoPipeline, _ dot: GoValue) throws -> GoValue {
        var piped: GoValue?
        for command in pipeline.commands { piped = try value(of: command, dot, piped, pipeline.line) }
        return piped ?? .data(.null)
    }

    private func value(of command: [GoOperand], _ dot: GoValue, _ piped: GoValue?, _ line: Int) throws -> GoValue {
        guard case .function(let name) = command[0] else {
            guard command.count == 1 else { throw Failure("line \(line): only a function takes arguments") }
            return try value(of: command[0], dot, line)
        }
        // `and` and `or` look no further than they must.
        if name == "and" || name == "or" {
            var last = GoValue.data(.null)
            for operand in command.dropFirst() {
                last = try value(of: operand, dot, line)
                if last.isTrue == (name == "or") { return last }
            }
            return piped ?? last
        }
        var arguments = try command.dropFirst().map { try value(of: $0, dot, line) }
        if let piped { arguments.append(piped) }
        return try GoFunctions.call(name, arguments, line)
    }

    private func value(of operand: GoOperand, _ dot: GoValue, _ line: Int) throws -> GoValue {
        switch operand {
        case .value(let value): return value
        case .dot: return dot
        case .field(let names): return try Self.follow(names, from: dot, line)
        case .variable(let name, let names):
            guard let variable = variables.last(where: { $0.name == name }) else {
                throw Failure("line \(line): the variable $\(name) isn't declared")
            }
            return try Self.follow(names, from: variable.value, line)
        case .group(let pipeline, let names): return try Self.follow(names, from: value(of: pipeline, dot), line)
        case .function(let name): return try GoFunctions.call(name, [], line)
        }
    }

    private static func follow(_ names: [String], from start: GoValue, _ line: Int) throws -> GoValue {
        var value = start
        for name in names {
            guard case .data(.object(let object)) = value else {
                throw Failure("line \(line): can't evaluate field \(name) in a \(value.kind)")
            }
            guard let next = object[name] else {
                throw Failure("line \(line): map has no entry for key \"\(name)\"")
            }
            value = .data(next)
        }
        return value
    }
}
