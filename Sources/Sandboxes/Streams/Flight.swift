import Synchronization

/// Work that several callers may wait for: the second one who asks for the same thing joins the first.
///
/// The work is cancelled once every caller has gone away, and not before.
final class Flight<Value: Sendable>: Sendable {
    private let task: Task<Value, any Error>
    private let waiting = Mutex(0)

    init(_ work: @escaping @Sendable () async throws -> Value) {
        task = Task { try await work() }
    }

    /// The outcome; a caller that is cancelled still waits for the work to be undone.
    func value() async throws -> Value {
        waiting.withLock { $0 += 1 }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            let last = waiting.withLock { count -> Bool in
                count -= 1
                return count == 0
            }
            if last { task.cancel() }
        }
    }
}
