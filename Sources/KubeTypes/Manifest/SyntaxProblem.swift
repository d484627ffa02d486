/// Why a text is no manifest at all.
struct SyntaxProblem: Error {
    var line: Int
    var column: Int
    var message: String

    var violation: Violation { Violation(line: line, column: column, field: nil, message: message) }
}
