/// A condition did not come true before its deadline.
public struct DeadlinePassed: Error, CustomStringConvertible {
    public let description: String
}

/// Waits until `condition` holds; for what has no event of its own to wait for.
///
/// - Parameters:
///   - what: what is waited for, for the failure's text
///   - limit: a generous bound: it ends a hang, it measures nothing
public func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        if ContinuousClock.now > deadline { throw DeadlinePassed(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
