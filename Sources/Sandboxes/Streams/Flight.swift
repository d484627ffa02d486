import Synchronization

/// Work that several callers may wait for: the second one who asks for the same thing joins the first.
///
/// The work is cancelled once every caller has gone away, and not before; who asks after that waits until it is over and
/// begins anew. Work that doesn't end with its callers is never cancelled.
final class Flight<Subject: Sendable & Equatable, Value: Sendable>: Sendable {
    private enum Waiter {
        case joined
        case waiting(CheckedContinuation<Value, any Error>)
        case left
    }

    private struct State {
        var outcome: Result<Value, any Error>?
        var last: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        var task: Task<Void, Never>?
        var isAbandoned = false
    }

    /// What was asked for.
    let subject: Subject
    /// Opens when the work has ended.
    let over = Latch()
    private let endsWithCallers: Bool
    private let state = Mutex(State())

    init(
        _ subject: Subject, endsWithCallers: Bool = true, _ work: @escaping @Sendable () async throws -> Value
    ) {
        self.subject = subject
        self.endsWithCallers = endsWithCallers
        let task = Task { [self] in
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
            land(outcome)
        }
        state.withLock { state in
            if state.outcome == nil { state.task = task }
        }
    }

    /// The outcome; nil when every earlier caller has gone away, so that what was begun is being undone.
    ///
    /// A caller that is cancelled goes at once; the last one waits until the work is undone.
    func value() async throws -> Value? {
        let ticket = state.withLock { state -> UInt64? in
            if state.isAbandoned { return nil }
            state.last += 1
            state.waiters[state.last] = .joined
            return state.last
        }
        guard let ticket else { return nil }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state -> Result<Value, any Error>? in
                    if let outcome = state.outcome { return outcome }
                    if case .left = state.waiters[ticket], !state.isAbandoned {
                        state.waiters[ticket] = nil
                        return .failure(CancellationError())
                    }
                    state.waiters[ticket] = .waiting(continuation)
                    return nil
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            leave(ticket)
        }
    }

    /// How many wait for it now.
    var callers: Int { state.withLock { $0.waiters.count } }

    /// Whether every caller has gone away before it ended.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    private func leave(_ ticket: UInt64) {
        let (gone, task) = state.withLock {
            state -> (CheckedContinuation<Value, any Error>?, Task<Void, Never>?) in
            guard state.outcome == nil, let waiter = state.waiters[ticket] else { return (nil, nil) }
            let others = state.waiters.contains { key, waiter in
                if case .left = waiter { return false }
                return key != ticket
            }
            guard others || !endsWithCallers else {
                // It stays, to hear that all was undone.
                state.isAbandoned = true
                return (nil, state.task)
            }
            guard case .waiting(let continuation) = waiter else {
                state.waiters[ticket] = .left
                return (nil, nil)
            }
            state.waiters[ticket] = nil
            return (continuation, nil)
        }
        gone?.resume(throwing: CancellationError())
        task?.cancel()
    }

    private func land(_ outcome: Result<Value, any Error>) {
        let waiters = state.withLock { state -> [Waiter] in
            state.outcome = outcome
            state.task = nil
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for case .waiting(let continuation) in waiters { continuation.resume(with: outcome) }
        over.open()
    }
}
