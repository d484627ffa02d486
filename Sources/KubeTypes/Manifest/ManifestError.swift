/// One thing that is wrong with a manifest, and where.
public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1, in characters.
    public let column: Int
    /// The field, if it concerns one.
    public let field: FieldPath?
    /// What is wrong, in upstream's words where upstream has some.
    public let message: String

    /// A violation at a place of a file.
    public init(line: Int, column: Int, field: FieldPath?, message: String) {
        self.line = line
        self.column = column
        self.field = field
        self.message = message
    }

    /// `line:column: field: message`.
    public var description: String {
        "\(line):\(column): " + (field.map { $0.steps.isEmpty ? "" : "\($0): " } ?? "") + message
    }
}

/// Why a document of a manifest was refused: everything that is wrong with it, in the order of its lines.
public struct ManifestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, as the caller named it.
    public let file: String
    /// The object's name, if one could be read.
    public let name: String?
    /// Never empty.
    public let violations: [Violation]

    /// A refusal with its reasons.
    public init(file: String, name: String? = nil, violations: [Violation]) {
        self.file = file
        self.name = name
        self.violations = violations
    }

    /// One line a violation: `file:line:column: field: message`.
    public var description: String { violations.map { "\(file):\($0)" }.joined(separator: "\n") }
}
