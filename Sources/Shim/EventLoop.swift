import Glibc
import Linux

/// Something that is told when its descriptor is ready.
protocol EventTarget: AnyObject {
    func ready(_ events: Epoll.Events)
}

/// The shim's one thread: descriptors and deadlines.
final class EventLoop {
    private struct Deadline {
        let id: UInt64
        let at: Int64
        let action: () -> Void
    }

    private let epoll: Epoll
    private var targets: [UInt64: any EventTarget] = [:]
    private var deadlines: [Deadline] = []
    private var lastToken: UInt64 = 0
    private var stopped = false

    init() throws(SystemError) {
        epoll = try Epoll()
    }

    /// Tells `target` when the descriptor is ready, until `forget`. EPERM for a regular file, which is always ready.
    ///
    /// - Returns: the token that names this watch; tokens are never used twice, so a late event finds nobody
    func watch(_ descriptor: Int32, _ events: Epoll.Events, _ target: any EventTarget) throws(SystemError) -> UInt64 {
        lastToken += 1
        try epoll.add(descriptor, events, token: lastToken)
        targets[lastToken] = target
        return lastToken
    }

    func change(_ descriptor: Int32, _ events: Epoll.Events, token: UInt64) throws(SystemError) {
        try epoll.change(descriptor, events, token: token)
    }

    /// Ends a watch; to be called before the descriptor is closed.
    func forget(_ descriptor: Int32, token: UInt64) {
        targets[token] = nil
        // Only EBADF or ENOENT are possible, and then there is nothing to forget.
        try? epoll.remove(descriptor)
    }

    /// Runs `action` once after that time, unless it is cancelled.
    @discardableResult
    func after(milliseconds: Int64, _ action: @escaping () -> Void) -> UInt64 {
        lastToken += 1
        // A day bounds what a client can ask for, and keeps the sum from overflowing.
        let bounded = min(max(milliseconds, 0), 86_400_000)
        let at = Clock.monotonicNanoseconds() + bounded * 1_000_000
        deadlines.append(Deadline(id: lastToken, at: at, action: action))
        return lastToken
    }

    func cancel(_ deadline: UInt64?) {
        guard let deadline else { return }
        deadlines.removeAll { $0.id == deadline }
    }

    /// Ends `run` after the events that are being handled.
    func stop() {
        stopped = true
    }

    func run() throws(SystemError) {
        while !stopped {
            for event in try epoll.wait(timeoutMilliseconds: timeout()) {
                targets[event.token]?.ready(event.events)
            }
            runDue()
        }
    }

    private func timeout() -> Int32 {
        guard let next = deadlines.min(by: { $0.at < $1.at }) else { return -1 }
        let left = next.at - Clock.monotonicNanoseconds()
        return left <= 0 ? 0 : Int32(min(left / 1_000_000 + 1, 3_600_000))
    }

    private func runDue() {
        guard !deadlines.isEmpty else { return }
        let now = Clock.monotonicNanoseconds()
        let due = deadlines.filter { $0.at <= now }
        guard !due.isEmpty else { return }
        deadlines.removeAll { $0.at <= now }
        for deadline in due.sorted(by: { $0.at < $1.at }) { deadline.action() }
    }
}
