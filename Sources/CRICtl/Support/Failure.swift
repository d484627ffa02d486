import CRI

/// What went wrong, in one line for people.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// "stopping the container "x": no such container".
    init(_ doing: String, _ error: any Error) { description = "\(doing): \(error)" }
}

/// Runs `body` and says what was being done when it fails.
func doing<Result>(_ what: @autoclosure () -> String, _ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let error as CRIError { throw Failure(what(), error) }
}
