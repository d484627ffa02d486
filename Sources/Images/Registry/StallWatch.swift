import Synchronization

/// Notices that a server sends nothing any more, or so little that it will never be done.
final class StallWatch: Sendable {
    private struct State {
        var since = ContinuousClock.now
        var bytes: UInt64 = 0
        /// Since when it isn't the server that is waited for.
        var paused: ContinuousClock.Instant?
    }

    private let timeout: Duration
    private let minimum: UInt64
    private let state = Mutex(State())

    init(timeout: Duration, minimum: UInt64) {
        self.timeout = timeout
        self.minimum = minimum
    }

    func note(_ bytes: Int) { state.withLock { $0.bytes += UInt64(bytes) } }

    func pause() { state.withLock { $0.paused = .now } }

    func resume() {
        state.withLock { state in
            if let paused = state.paused { state.since += .now - paused }
            state.paused = nil
        }
    }

    /// Runs `body`, and ends it by cancellation when its server stalls.
    ///
    /// - Throws: what `body` throws, or ``Stalled``
    static func run<Value: Sendable>(
        _ configuration: RegistryConfiguration, _ body: @escaping @Sendable (StallWatch) async throws -> Value
    ) async throws -> Value {
        let watch = StallWatch(timeout: configuration.stallTimeout, minimum: configuration.stallBytes)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await body(watch) }
            group.addTask {
                try await watch.waitForStall()
                return nil
            }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    private func waitForStall() async throws {
        var deadline = ContinuousClock.now + timeout
        while true {
            try await Task.sleep(until: deadline, clock: .continuous)
            let now = ContinuousClock.now
            deadline = try state.withLock { state in
                if state.paused != nil { return now + timeout }
                guard now - state.since >= timeout else { return state.since + timeout }
                guard state.bytes >= minimum else { throw Stalled(bytes: state.bytes, timeout: timeout) }
                state = State()
                return now + timeout
            }
        }
    }
}

struct Stalled: Error {
    var bytes: UInt64
    var timeout: Duration
}
