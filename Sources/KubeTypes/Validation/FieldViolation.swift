/// One rule that an object breaks, in upstream's words.
public struct FieldViolation: Sendable, Hashable, CustomStringConvertible {
    /// The field.
    public let field: FieldPath
    /// As `Invalid value: -1: must be between 1 and 65535, inclusive`.
    public let message: String

    /// A broken rule.
    public init(field: FieldPath, message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { "\(field): \(message)" }

    static func required(_ field: FieldPath, _ detail: String = "") -> Self {
        Self(field: field, message: detail.isEmpty ? "Required value" : "Required value: \(detail)")
    }

    static func invalid(_ field: FieldPath, _ value: String, _ detail: String) -> Self {
        Self(field: field, message: "Invalid value: \(quoted(value)): \(detail)")
    }

    static func invalid(_ field: FieldPath, _ value: some BinaryInteger, _ detail: String) -> Self {
        Self(field: field, message: "Invalid value: \(value): \(detail)")
    }

    static func invalid(_ field: FieldPath, _ value: Bool, _ detail: String) -> Self {
        Self(field: field, message: "Invalid value: \(value): \(detail)")
    }

    static func unsupported(_ field: FieldPath, _ value: String, _ supported: [String]) -> Self {
        let names = supported.sorted().map(quoted).joined(separator: ", ")
        return Self(field: field, message: "Unsupported value: \(quoted(value)): supported values: \(names)")
    }

    static func duplicate(_ field: FieldPath, _ value: String) -> Self {
        Self(field: field, message: "Duplicate value: \(quoted(value))")
    }

    static func notFound(_ field: FieldPath, _ value: String) -> Self {
        Self(field: field, message: "Not found: \(quoted(value))")
    }

    static func forbidden(_ field: FieldPath, _ detail: String) -> Self {
        Self(field: field, message: "Forbidden: \(detail)")
    }
}
