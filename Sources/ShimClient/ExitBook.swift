import ShimProtocol
import Synchronization

/// Who waits for which exit, and the exits that were heard lately.
final class ExitBook: Sendable {
    /// A container's first process (`exec` is nil), or an exec of it.
    struct Key: Hashable, Sendable {
        var container: String
        var exec: String?
    }

    private typealias Waiter = CheckedContinuation<Result<ExitRecord, ShimFailure>, Never>

    private struct State {
        var waiters: [Key: [UInt64: Waiter]] = [:]
        var heard: [Key: ExitRecord] = [:]
        var order: [Key] = []
        /// Execs that this connection has started: their exit will be heard, or was.
        var own: Set<Key> = []
        var lastTicket: UInt64 = 0
        var cancelled: Set<UInt64> = []
        var broken: ShimFailure?
    }

    /// How many exits are remembered for those who ask late.
    private static let memory = 1024

    private let state = Mutex(State())

    /// An exec was started over this connection.
    func started(_ key: Key) {
        state.withLock { state in
            if state.heard[key] == nil { state.own.insert(key) }
        }
    }

    /// A new life of that name begins.
    func forget(_ key: Key) {
        state.withLock { state in
            if state.heard.removeValue(forKey: key) != nil { state.order.removeAll { $0 == key } }
            state.own.remove(key)
        }
    }

    func heard(_ key: Key, _ record: ExitRecord) {
        let waiters = state.withLock { state -> [Waiter] in
            if state.heard.updateValue(record, forKey: key) == nil { state.order.append(key) }
            if state.order.count > Self.memory { state.heard[state.order.removeFirst()] = nil }
            state.own.remove(key)
            return state.waiters.removeValue(forKey: key).map { Array($0.values) } ?? []
        }
        for waiter in waiters { waiter.resume(returning: .success(record)) }
    }

    func broke(_ why: ShimFailure) {
        let waiters = state.withLock { state -> [Waiter] in
            state.broken = why
            defer { state.waiters = [:] }
            return state.waiters.values.flatMap(\.values)
        }
        for waiter in waiters { waiter.resume(returning: .failure(why)) }
    }

    /// What is known without asking: an exit that was heard, or that one will be.
    func known(_ key: Key) -> (record: ExitRecord?, willBeHeard: Bool) {
        state.withLock { ($0.heard[key], $0.own.contains(key)) }
    }

    /// Waits for an exit to be heard; ends early when the task is cancelled or the connection breaks.
    func wait(_ key: Key) async throws(ShimFailure) -> ExitRecord {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        let result: Result<ExitRecord, ShimFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let now = state.withLock { state -> Result<ExitRecord, ShimFailure>? in
                    if let record = state.heard[key] { return .success(record) }
                    if let broken = state.broken { return .failure(broken) }
                    if state.cancelled.remove(ticket) != nil { return .failure(Self.cancellation(key)) }
                    state.waiters[key, default: [:]][ticket] = waiter
                    return nil
                }
                if let now { waiter.resume(returning: now) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                if let waiter = state.waiters[key]?.removeValue(forKey: ticket) { return waiter }
                state.cancelled.insert(ticket)
                return nil
            }
            waiter?.resume(returning: .failure(Self.cancellation(key)))
        }
        state.withLock { _ = $0.cancelled.remove(ticket) }
        return try result.get()
    }

    private static func cancellation(_ key: Key) -> ShimFailure {
        ShimFailure(.abandoned, "the wait for the end of \(key.exec ?? key.container) was cancelled")
    }
}
