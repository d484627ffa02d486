import Synchronization

/// Knows when an output last moved, so that one which nobody fills any more can be told from one that nobody empties.
final class OutputActivity: Sendable {
    private struct State {
        var sending = 0
        var last = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// Runs one transfer.
    func during(_ transfer: () async throws -> Void) async throws {
        state.withLock { $0.sending += 1 }
        defer {
            state.withLock {
                $0.sending -= 1
                $0.last = .now
            }
        }
        try await transfer()
    }

    /// Returns once nothing has moved, and nothing was waiting to be moved, for `duration`.
    func silence(_ duration: Duration) async throws {
        let began = ContinuousClock.now
        while true {
            let (sending, last) = state.withLock { ($0.sending, max($0.last, began)) }
            let now = ContinuousClock.now
            if sending == 0, now - last >= duration { return }
            try await Task.sleep(until: sending == 0 ? last + duration : now + duration, clock: .continuous)
        }
    }
}
