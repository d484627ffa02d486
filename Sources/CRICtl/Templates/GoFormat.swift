import JSON

/// `printf`: Go's verbs, for what a document holds.
enum GoFormat {
    /// - Parameter arguments: the format and what goes into it
    static func text(_ arguments: [GoValue]) throws -> String {
        guard case .data(.string(let format))? = arguments.first else {
            throw Failure("the first value must be a format")
        }
        var values = arguments.dropFirst()
        var rest = Substring(format)
        var text = ""
        while let next = rest.popFirst() {
            guard next == "%" else {
                text.append(next)
                continue
            }
            let flags = rest.prefix { "-+# 0".contains($0) }
            rest = rest.dropFirst(flags.count)
            let width = rest.prefix(while: \.isNumber)
            rest = rest.dropFirst(width.count)
            var precision: Int?
            if rest.first == "." {
                rest.removeFirst()
                let digits = rest.prefix(while: \.isNumber)
                rest = rest.dropFirst(digits.count)
                precision = Int(digits) ?? 0
            }
            guard let verb = rest.popFirst() else { throw Failure("the format ends with a \"%\"") }
            if verb == "%" {
                text.append("%")
                continue
            }
            guard let value = values.popFirst() else { throw Failure("a value for %\(verb) is missing") }
            let shown = try shown(value, verb, precision)
            text += padded(shown, Int(width) ?? 0, left: flags.contains("-"), zeros: flags.contains("0"))
        }
        guard values.isEmpty else { throw Failure("\(values.count) more values than the format has places for") }
        return text
    }

    private static func shown(_ value: GoValue, _ verb: Character, _ precision: Int?) throws -> String {
        switch verb {
        case "v", "s":
            let text = value.shown
            return precision.map { String(text.prefix($0)) } ?? text
        case "q": return String(decoding: JSONValue.string(value.shown).encoded(pretty: false), as: UTF8.self)
        case "d", "x", "X":
            guard let number = value.json.intValue else { throw Failure("%\(verb) needs a whole number") }
            return verb == "d" ? "\(number)" : String(number, radix: 16, uppercase: verb == "X")
        case "f":
            guard let number = value.json.doubleValue ?? value.json.intValue.map(Double.init) else {
                throw Failure("%f needs a number")
            }
            return fixed(number, precision ?? 6)
        case "t":
            guard let truth = value.json.boolValue else { throw Failure("%t needs true or false") }
            return "\(truth)"
        default: throw Failure("%\(verb) is not supported")
        }
    }

    private static func fixed(_ number: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<min(places, 9) { scale *= 10 }
        let scaled = (abs(number) * scale).rounded(.toNearestOrEven)
        guard scaled < 1e18 else { return "\(number)" }
        let whole = Int64(scaled)
        let sign = number < 0 && whole > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(whole)" }
        let fraction = "\(whole % Int64(scale))"
        let zeros = String(repeating: "0", count: max(0, min(places, 9) - fraction.count))
        return "\(sign)\(whole / Int64(scale)).\(zeros)\(fraction)"
    }

    private static func padded(_ text: String, _ width: Int, left: Bool, zeros: Bool) -> String {
        let missing = min(width, 4096) - text.count
        guard missing > 0 else { return text }
        let padding = String(repeating: zeros && !left ? "0" : " ", count: missing)
        return left ? text + padding : padding + text
    }
}
