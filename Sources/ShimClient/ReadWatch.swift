import Glibc
import Linux
import Synchronization

/// Calls back whenever a descriptor can be read, or its other end is gone, until it is cancelled.
///
/// All watches share one thread and one epoll(7) instance of our own: on Linux, dispatch's read sources free their
/// bookkeeping while it is still in use when several are made and cancelled at once, and take the process down
/// (swift-corelibs-libdispatch issue 949).
public final class ReadWatch: Sendable {
    private let key: UInt64
    private let loop: ReadLoop

    /// - Parameters:
    ///   - descriptor: non-blocking; stays open until `ended` is called
    ///   - ready: called on the shared thread, again and again as long as there is something to read: must not block
    ///   - ended: called once on the shared thread after ``cancel()``, and nothing after it
    public init(
        _ descriptor: Int32, ready: @escaping @Sendable () -> Void, ended: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        loop = try ReadLoop.shared()
        key = try loop.add(ReadLoop.Watch(descriptor: descriptor, ready: ready, ended: ended))
    }

    /// Ends the watch; from any thread, any number of times.
    public func cancel() { loop.cancel(key) }
}

/// The thread behind every ``ReadWatch``.
final class ReadLoop: Sendable {
    struct Watch: Sendable {
        let descriptor: Int32
        let ready: @Sendable () -> Void
        let ended: @Sendable () -> Void
    }

    private struct State {
        var lastKey: UInt64 = 0
        var watches: [UInt64: Watch] = [:]
        var cancelled: [UInt64] = []
    }

    private static let only = Mutex<ReadLoop?>(nil)

    private let epoll: Epoll
    private let bell: EventDescriptor
    private let state = Mutex(State())

    /// Started when it is first needed; lives as long as the process.
    static func shared() throws(SystemError) -> ReadLoop {
        try only.withLock { loop throws(SystemError) in
            if let loop { return loop }
            let made = try ReadLoop()
            loop = made
            return made
        }
    }

    private init() throws(SystemError) {
        epoll = try Epoll()
        bell = try EventDescriptor()
        try epoll.add(bell.descriptor.raw, .readable, token: 0)
        var thread = pthread_t()
        let this = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ReadLoop>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, this)
        guard failure == 0 else {
            Unmanaged<ReadLoop>.fromOpaque(this).release()
            throw SystemError("pthread_create", errno: Errno(rawValue: failure))
        }
        pthread_detach(thread)
    }

    func add(_ watch: Watch) throws(SystemError) -> UInt64 {
        try state.withLock { state throws(SystemError) in
            state.lastKey += 1
            try epoll.add(watch.descriptor, .readable, token: state.lastKey)
            state.watches[state.lastKey] = watch
            return state.lastKey
        }
    }

    func cancel(_ key: UInt64) {
        state.withLock { $0.cancelled.append(key) }
        bell.wake()
    }

    private func run() {
        while true {
            // It can only fail for descriptors that aren't ours any more; there is nobody to tell.
            let events = (try? epoll.wait()) ?? []
            for event in events {
                if event.token == 0 {
                    _ = bell.take()
                    continue
                }
                // A watch that was cancelled meanwhile isn't called any more.
                let watch = state.withLock { state in
                    state.cancelled.contains(event.token) ? nil : state.watches[event.token]
                }
                watch?.ready()
            }
            for watch in end() { watch.ended() }
        }
    }

    private func end() -> [Watch] {
        state.withLock { state in
            let keys = state.cancelled
            state.cancelled = []
            return keys.compactMap { key in
                guard let watch = state.watches.removeValue(forKey: key) else { return nil }
                // It is open still, so this is the descriptor that was added.
                try? epoll.remove(watch.descriptor)
                return watch
            }
        }
    }
}
