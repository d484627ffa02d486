import Synchronization

/// Bytes that have come on a connection and wait for whoever takes them: together they have a bound, and while it is reached
/// the connection isn't read.
final class ByteBudget: Sendable {
    private struct State {
        var used = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    func take(_ count: Int) { state.withLock { $0.used += count } }

    func give(_ count: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.used -= count
            guard state.used < limit else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns once there is room, or the task is cancelled. For one caller at a time.
    func room() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.used < limit || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}

/// What has come for one taker.
final class StreamInbox<Element: Sendable>: Sendable {
    private struct State {
        var waiting: [(element: Element, bytes: Int)] = []
        var isFinished = false
        var taker: CheckedContinuation<Void, Never>?

        mutating func takeTaker() -> CheckedContinuation<Void, Never>? {
            defer { taker = nil }
            return taker
        }
    }

    private let budget: ByteBudget
    private let state = Mutex(State())

    init(_ budget: ByteBudget) { self.budget = budget }

    /// Adds an element that takes `bytes` of the budget; does nothing once the inbox is finished.
    func push(_ element: Element, bytes: Int) {
        let taker = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isFinished else { return nil }
            budget.take(bytes)
            state.waiting.append((element, bytes))
            return state.takeTaker()
        }
        taker?.resume()
    }

    /// Nothing more comes; what waits is still taken.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            return state.takeTaker()
        }?.resume()
    }

    /// Nothing more is taken.
    func close() {
        let (taker, bytes) = state.withLock { state in
            state.isFinished = true
            let bytes = state.waiting.reduce(0) { $0 + $1.bytes }
            state.waiting = []
            return (state.takeTaker(), bytes)
        }
        budget.give(bytes)
        taker?.resume()
    }

    /// The next element; nil at the end, or when the task is cancelled. For one taker.
    func next() async -> Element? {
        while !Task.isCancelled {
            let (first, isOver) = state.withLock { state in
                (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isFinished)
            }
            if let first {
                budget.give(first.bytes)
                return first.element
            }
            if isOver { return nil }
            await news()
        }
        return nil
    }

    private func news() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if !state.waiting.isEmpty || state.isFinished || Task.isCancelled { return true }
                    state.taker = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.takeTaker() }?.resume()
        }
    }
}
