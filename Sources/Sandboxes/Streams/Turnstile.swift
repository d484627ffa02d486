import Synchronization

/// Lets one caller through at a time, in the order they came: the per-object serialisation of the engine.
///
/// A caller that is cancelled while it waits leaves the queue with `CancellationError`; one that is inside decides for
/// itself. Unlike an actor it stays shut across `await`.
final class Turnstile: Sendable {
    private struct State {
        var occupied = false
        var next: UInt64 = 0
        var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state = Mutex(State())

    /// Runs `body` alone.
    func pass<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        try await enter(isolation: isolation)
        defer { leave() }
        return try await body()
    }

    /// On the caller's actor: whoever calls first is in first, or waits first.
    private func enter(isolation: isolated (any Actor)?) async throws(CancellationError) {
        let ticket = state.withLock { state -> UInt64? in
            if !state.occupied {
                state.occupied = true
                return nil
            }
            state.next += 1
            return state.next
        }
        guard let ticket else { return }
        let entered = await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { continuation in
                let immediate = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if !state.occupied {
                        state.occupied = true
                        return true
                    }
                    state.waiting.append((ticket, continuation))
                    return nil
                }
                if let immediate { continuation.resume(returning: immediate) }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
                return state.waiting.remove(at: index).continuation
            }
            continuation?.resume(returning: false)
        }
        if !entered { throw CancellationError() }
    }

    private func leave() {
        let following = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.waiting.isEmpty else {
                state.occupied = false
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        following?.resume(returning: true)
    }
}
