import JSON

extension Pod {
    /// The pod with its status as YAML, as kubectl prints it.
    public func yaml() -> String { YAMLOutput.text(json()) }
}

/// Writes a tree as YAML with two spaces a level; lists stand at their key's own indentation, as kubectl has it.
public enum YAMLOutput {
    /// The text of a tree, ending with a line break.
    public static func text(_ value: JSONValue) -> String {
        var output = ""
        write(value, indent: 0, into: &output)
        return output.hasPrefix("\n") ? String(output.dropFirst()) : output
    }

    /// Writes what follows a `key:` or a `-`.
    private static func write(_ value: JSONValue, indent: Int, into output: inout String) {
        switch value {
        case .object(let object) where !object.isEmpty:
            for (number, member) in object.members.enumerated() {
                if number > 0 || !output.hasSuffix("- ") { newLine(indent, &output) }
                output += scalar(member.key) + ":"
                if case .array(let elements) = member.value, !elements.isEmpty {
                    write(member.value, indent: indent, into: &output)
                } else {
                    write(member.value, indent: indent + 2, into: &output)
                }
            }
        case .array(let elements) where !elements.isEmpty:
            for (number, element) in elements.enumerated() {
                if number > 0 || !output.hasSuffix("- ") { newLine(indent, &output) }
                output += "- "
                write(element, indent: indent + 2, into: &output)
            }
        default:
            if output.hasSuffix(":") { output += " " }
            output += leaf(value)
        }
        if indent == 0, !output.hasSuffix("\n") { output += "\n" }
    }

    private static func newLine(_ indent: Int, _ output: inout String) {
        if !output.isEmpty, !output.hasSuffix("\n") { output += "\n" }
        output += String(repeating: " ", count: indent)
    }

    private static func leaf(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): scalar(text)
        case .object: "{}"
        case .array: "[]"
        default: String(decoding: value.encoded(pretty: false), as: UTF8.self)
        }
    }

    /// A text as it is where every reader takes it for a string; else as JSON writes it, which YAML reads too.
    private static func scalar(_ text: String) -> String {
        isPlain(text) ? text : String(decoding: JSONValue.string(text).encoded(pretty: false), as: UTF8.self)
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.last != 0x20, text.utf8.last != UInt8(ascii: ":") else {
            return false
        }
        guard isLetter(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "_") || isDigit(first) else {
            return false
        }
        guard case .string = YAMLScalar.resolve(plain: text) else { return false }
        var last: UInt8 = 0
        for byte in text.utf8 {
            if byte < 0x20 || byte >= 0x7F { return false }
            if last == UInt8(ascii: ":"), byte == 0x20 { return false }
            if last == 0x20, byte == UInt8(ascii: "#") { return false }
            last = byte
        }
        // Dates are strings to Kubernetes, but not to every reader.
        return
            !(isDigit(first) && text.utf8.allSatisfy { isDigit($0) || "-:TZ.".utf8.contains($0) } && text.contains("-"))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
