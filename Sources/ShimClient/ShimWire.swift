import Dispatch
import Glibc
import JSON
import Linux
import ShimProtocol
import Synchronization

/// The socket of one connection: numbers requests, hands out replies, and ends all of them when it breaks.
///
/// Frames are read on the thread of ``ReadWatch``, never on a cooperative thread; a frame takes microseconds there.
final class ShimWire: Sendable {
    /// What came for a request.
    struct Answer: Sendable {
        var reply: Reply
        var terminal: PseudoTerminal?
    }

    private typealias Waiter = CheckedContinuation<Result<Answer, ShimFailure>, Never>

    private struct Pending {
        let waiter: Waiter
        let verb: String
        let limit: Duration
        let deadline: ContinuousClock.Instant
    }

    /// A frame that the socket had no room for; its descriptors are lent by the request that waits.
    private struct Unsent {
        let id: UInt64
        let bytes: [UInt8]
        let descriptors: [Int32]
    }

    private struct State {
        var lastID: UInt64 = 0
        /// Requests whose callers went away before they were sent.
        var abandoned: Set<UInt64> = []
        var pending: [UInt64: Pending] = [:]
        var unsent: [Unsent] = []
        var isFlushPlanned = false
        var sweepAt: ContinuousClock.Instant?
        var broken: ShimFailure?
    }

    private static let queue = DispatchQueue(label: "kubesim.shim-client")

    private let socket: UnixSocket
    private let path: String
    private let state = Mutex(State())
    private let heard: @Sendable (ShimEvent) -> Void
    private let watch = Mutex<ReadWatch?>(nil)

    /// - Parameter heard: called with each event, in order, and at last with `.disconnected`
    init(socket: consuming UnixSocket, path: String, heard: @escaping @Sendable (ShimEvent) -> Void) {
        self.socket = socket
        self.path = path
        self.heard = heard
    }

    /// Begins to read. To be called once.
    func begin() {
        do throws(SystemError) {
            let made = try ReadWatch(
                socket.descriptor.raw, ready: { [weak self] in self?.receive() },
                // The socket stays open until nothing watches it any more.
                ended: { [self] in withExtendedLifetime(self) {} })
            watch.withLock { $0 = made }
            // Broken before there was a watch to cancel.
            if state.withLock({ $0.broken != nil }) { made.cancel() }
        } catch {
            close(gone(error.description))
        }
    }

    /// Sends a request and waits for its answer until the deadline, or until the caller is cancelled: then the shim may still
    /// do what it was asked.
    ///
    /// - Parameter isLasting: also a cancelled caller waits, since it has to know what came of it
    func ask(
        _ request: Request, descriptors: [Int32] = [], deadline limit: Duration, isLasting: Bool = false
    ) async throws(ShimFailure) -> Answer {
        let id = state.withLock { state -> UInt64 in
            state.lastID += 1
            return state.lastID
        }
        let result: Result<Answer, ShimFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in send(request, id, descriptors, waiter, limit) }
        } onCancel: {
            if isLasting { return }
            let failure = ShimFailure(.abandoned, "\(request.verb): the caller went away")
            let isKnown = state.withLock { state -> Bool in
                // Not sent yet: it won't be waited for.
                if state.pending[id] == nil { state.abandoned.insert(id) }
                return state.pending[id] != nil
            }
            if isKnown { settle(id, .failure(failure)) }
        }
        state.withLock { _ = $0.abandoned.remove(id) }
        return try result.get()
    }

    /// Ends the connection; all that wait are told why.
    func close(_ why: ShimFailure) {
        let waiters = state.withLock { state -> [Waiter]? in
            guard state.broken == nil else { return nil }
            state.broken = why
            state.unsent = []
            defer { state.pending = [:] }
            return state.pending.values.map(\.waiter)
        }
        guard let waiters else { return }
        watch.withLock { $0 }?.cancel()
        for waiter in waiters { waiter.resume(returning: .failure(why)) }
        heard(.disconnected)
    }

    private func send(
        _ request: Request, _ id: UInt64, _ descriptors: [Int32], _ waiter: Waiter, _ limit: Duration
    ) {
        let deadline = ContinuousClock.now + limit
        let failure = state.withLock { state -> ShimFailure? in
            if let broken = state.broken { return broken }
            if state.abandoned.contains(id) {
                return ShimFailure(.abandoned, "\(request.verb): the caller went away")
            }
            let bytes = RequestFrame(id: id, request: request).encoded()
            guard bytes.count <= ShimLimits.frameBytes else {
                return ShimFailure(
                    .invalid, "\(request.verb): the request is longer than \(ShimLimits.frameBytes) bytes")
            }
            state.pending[id] = Pending(waiter: waiter, verb: request.verb, limit: limit, deadline: deadline)
            state.unsent.append(Unsent(id: id, bytes: bytes, descriptors: descriptors))
            return nil
        }
        if let failure {
            waiter.resume(returning: .failure(failure))
            return
        }
        flush()
        sweepLater(deadline)
    }

    /// Sends what waits, in order.
    private func flush() {
        let failure = state.withLock { state -> ShimFailure? in
            while let next = state.unsent.first {
                // One that nobody waits for any more has no descriptors to lend.
                if state.pending[next.id] != nil {
                    do throws(SystemError) {
                        try socket.send(next.bytes, descriptors: next.descriptors, nonBlocking: true)
                    } catch {
                        if error.errno != .again { return gone(error.description) }
                        break
                    }
                }
                state.unsent.removeFirst()
            }
            return nil
        }
        if let failure {
            close(failure)
            return
        }
        let isStuck = state.withLock { state -> Bool in
            guard !state.unsent.isEmpty, !state.isFlushPlanned else { return false }
            state.isFlushPlanned = true
            return true
        }
        guard isStuck else { return }
        // A shim reads in microseconds: only one that hangs lets its socket fill, and then the deadlines count.
        Self.queue.asyncAfter(deadline: .now() + .milliseconds(5)) { [weak self] in
            self?.state.withLock { $0.isFlushPlanned = false }
            self?.flush()
        }
    }

    private func receive() {
        while true {
            do throws(SystemError) {
                var message = try socket.receive(limit: ShimLimits.frameBytes, mostDescriptors: 1, nonBlocking: true)
                guard !message.bytes.isEmpty else {
                    close(gone("it closed the connection"))
                    return
                }
                var terminal: PseudoTerminal?
                if let descriptor = message.takeDescriptor() { terminal = PseudoTerminal(owning: descriptor.release()) }
                let frame: ShimFrame
                do throws(JSONError) {
                    frame = try ShimFrame.read(message.bytes)
                } catch {
                    close(gone("it sent what can't be read: \(error)"))
                    return
                }
                take(frame, terminal)
            } catch {
                if error.errno != .again { close(gone(error.description)) }
                return
            }
        }
    }

    private func take(_ frame: ShimFrame, _ terminal: PseudoTerminal?) {
        switch frame {
        case .reply(let id, let reply):
            settle(id, .success(Answer(reply: reply, terminal: terminal)))
        case .failure(let id, let failure):
            settle(id, .failure(failure))
        case .event(let event):
            heard(event)
        }
    }

    private func settle(_ id: UInt64, _ result: Result<Answer, ShimFailure>) {
        // Nobody may wait any more: the deadline has passed.
        state.withLock { $0.pending.removeValue(forKey: id) }?.waiter.resume(returning: result)
    }

    private func sweepLater(_ deadline: ContinuousClock.Instant) {
        let isNews = state.withLock { state in
            if let planned = state.sweepAt, planned <= deadline { return false }
            state.sweepAt = deadline
            return true
        }
        guard isNews else { return }
        let (seconds, attoseconds) = max(deadline - .now, .zero).components
        let wait = DispatchTimeInterval.milliseconds(
            Int(min(seconds, 86_400) * 1000 + attoseconds / 1_000_000_000_000_000) + 1)
        Self.queue.asyncAfter(deadline: .now() + wait) { [weak self] in self?.sweep() }
    }

    /// Ends the requests whose time is up.
    private func sweep() {
        let now = ContinuousClock.now
        let (late, next) = state.withLock { state -> ([Pending], ContinuousClock.Instant?) in
            let late = state.pending.filter { $0.value.deadline <= now }
            for id in late.keys { state.pending[id] = nil }
            state.sweepAt = nil
            return (Array(late.values), state.pending.values.map(\.deadline).min())
        }
        for pending in late {
            pending.waiter.resume(
                returning: .failure(
                    ShimFailure(
                        .noAnswer, "the shim of \(path) did not answer '\(pending.verb)' within \(pending.limit)")))
        }
        if let next { sweepLater(next) }
    }

    private func gone(_ why: String) -> ShimFailure {
        ShimFailure(.disconnected, "the shim of \(path) is gone: \(why)")
    }
}
