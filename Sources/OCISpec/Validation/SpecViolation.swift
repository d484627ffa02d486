/// One place where a configuration breaks the specification.
public struct SpecViolation: Sendable, Hashable, CustomStringConvertible {
    /// The field: `linux.namespaces[2].type`.
    public var path: String
    /// What is wrong, with the value that is.
    public var message: String
    /// Where the specification says so: `config.md, Process`.
    public var clause: String

    public init(path: String, message: String, clause: String) {
        self.path = path
        self.message = message
        self.clause = clause
    }

    /// `process.cwd: 'tmp' is not an absolute path (config.md, Process)`
    public var description: String { "\(path): \(message) (\(clause))" }
}

/// Gathers violations.
struct Violations {
    var found: [SpecViolation] = []

    mutating func add(_ path: String, _ message: String, _ clause: String) {
        found.append(SpecViolation(path: path, message: message, clause: clause))
    }

    mutating func require(
        _ holds: Bool, _ path: @autoclosure () -> String, _ message: @autoclosure () -> String, _ clause: String
    ) {
        if !holds { add(path(), message(), clause) }
    }

    /// A path that must begin with `/`.
    mutating func absolute(_ value: String, _ path: @autoclosure () -> String, _ clause: String) {
        if value.utf8.first != UInt8(ascii: "/") { add(path(), "'\(value)' is not an absolute path", clause) }
        text(value, path(), clause)
    }

    /// A text that reaches the kernel, where a NUL would cut it short.
    mutating func text(_ value: String, _ path: @autoclosure () -> String, _ clause: String) {
        if value.utf8.contains(0) { add(path(), "the text holds a NUL byte", clause) }
    }

    mutating func oneOf(_ value: String, _ words: [String], _ path: @autoclosure () -> String, _ clause: String) {
        if !words.contains(value) { add(path(), "'\(value)' is none of \(words.joined(separator: ", "))", clause) }
    }

    /// A list of numbers and ranges: `0-3,7`.
    mutating func numberList(_ value: String?, _ path: @autoclosure () -> String, _ clause: String) {
        guard let value else { return }
        let fits = value.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: " ")
        }
        if !fits { add(path(), "'\(value)' is no list like 0-3,7", clause) }
    }
}
