import CRI
import Synchronization

/// Carries container events to every subscriber of `GetContainerEvents`.
///
/// Each subscriber has a queue of 1024 events; one that lets it fill is cut off with an error, and can list and
/// subscribe anew, which is better than an event lost in silence.
final class EventHub: Sendable {
    static let queueLength = 1024

    private typealias Continuation = AsyncThrowingStream<CRIContainerEventResponse, any Error>.Continuation

    private struct State {
        var next: UInt64 = 0
        var subscribers: [UInt64: Continuation] = [:]
        var closed = false
    }

    private let state = Mutex(State())

    /// A stream of the events from now on; it ends when the engine shuts down.
    func subscribe() -> AsyncThrowingStream<CRIContainerEventResponse, any Error> {
        let (stream, continuation) = AsyncThrowingStream<CRIContainerEventResponse, any Error>.makeStream(
            bufferingPolicy: .bufferingOldest(Self.queueLength))
        let key = state.withLock { state -> UInt64? in
            guard !state.closed else { return nil }
            state.next += 1
            state.subscribers[state.next] = continuation
            return state.next
        }
        guard let key else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in _ = state.subscribers.removeValue(forKey: key) }
        }
        return stream
    }

    /// Whether anybody listens; building an event costs something.
    var hasSubscribers: Bool { state.withLock { !$0.subscribers.isEmpty } }

    func send(_ event: CRIContainerEventResponse) {
        let subscribers = state.withLock { $0.subscribers }
        for (key, continuation) in subscribers {
            if case .dropped = continuation.yield(event) {
                state.withLock { state in _ = state.subscribers.removeValue(forKey: key) }
                continuation.finish(
                    throwing: CRIError(
                        .resourceExhausted,
                        "container events: \(Self.queueLength) events were not read; list and subscribe again"))
            }
        }
    }

    func close() {
        let subscribers = state.withLock { state -> [Continuation] in
            state.closed = true
            defer { state.subscribers = [:] }
            return Array(state.subscribers.values)
        }
        for continuation in subscribers { continuation.finish() }
    }
}
