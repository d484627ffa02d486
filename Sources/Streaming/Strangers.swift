import NIOCore
import Synchronization

/// Connections that have shown no ticket, so few of them that they leave the process its descriptors: whoever comes when all
/// places are taken gets that of the one that has said nothing for longest.
final class Strangers: Sendable {
    private struct State {
        var next: UInt64 = 0
        /// The oldest first.
        var waiting: [(number: UInt64, channel: any Channel)] = []
        var isClosed = false
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = max(1, limit) }

    /// Counts a connection, whose pipeline has a ``LingeringClose``, until it is closed or ``known(_:)``.
    func came(_ channel: any Channel) -> UInt64 {
        let (number, oldest) = state.withLock { state in
            state.next += 1
            state.waiting.append((state.next, channel))
            let isOne = state.isClosed || state.waiting.count > limit
            return (state.next, isOne ? state.waiting.removeFirst().channel : nil)
        }
        channel.closeFuture.whenComplete { _ in self.known(number) }
        oldest?.triggerUserOutboundEvent(LingeringClose.CutOff(), promise: nil)
        return number
    }

    /// Closes them all, and those that come later: nobody is served any more.
    func close() {
        let all = state.withLock { state in
            defer { (state.waiting, state.isClosed) = ([], true) }
            return state.waiting
        }
        for (_, channel) in all { channel.triggerUserOutboundEvent(LingeringClose.CutOff(), promise: nil) }
    }

    /// It has shown its ticket, or is gone.
    func known(_ number: UInt64) {
        state.withLock { $0.waiting.removeAll { $0.number == number } }
    }
}
