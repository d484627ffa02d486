import Glibc
import Linux

/// One attached reader of an output stream. It gets a bounded delay, and never holds up the log.
final class OutputCopy: EventTarget {
    /// How far behind a reader may fall, in bytes, before it is let go.
    static let limit = 1 << 20
    /// From here on a terminal waits for its reader.
    static let behind = 64 << 10
    /// How long a terminal waits for a reader that takes nothing.
    static let stallMilliseconds: Int64 = 5000

    private let loop: EventLoop
    private var target: Descriptor?
    private var token: UInt64?
    private var waiting: [UInt8] = []
    private var isFinishing = false
    /// Called when a reader that was behind has caught up, or is gone.
    var drained: () -> Void = {}

    init(target: consuming Descriptor, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let raw = target.raw
        try target.setNonBlocking(true)
        self.target = consume target
        do throws(SystemError) {
            // Errors and hang-ups come unasked.
            token = try loop.watch(raw, [], self)
        } catch {
            // A regular file or /dev/null is always ready and never behind.
            guard error.errno == .perm else { throw error }
        }
    }

    var isClosed: Bool { target == nil }
    var isBehind: Bool { waiting.count > Self.behind }

    func write(_ data: UnsafeRawBufferPointer) {
        guard target != nil, !isFinishing else { return }
        var rest = data
        if waiting.isEmpty {
            guard let count = push(data) else { return }
            rest = UnsafeRawBufferPointer(rebasing: data[count...])
        }
        guard !rest.isEmpty else { return }
        guard waiting.count + rest.count <= Self.limit else {
            close()
            return
        }
        let wasEmpty = waiting.isEmpty
        waiting.append(contentsOf: rest)
        if wasEmpty { listen(.writable) }
    }

    func ready(_ events: Epoll.Events) {
        if events.contains(.error) || (events.contains(.hangUp) && !events.contains(.writable)) {
            close()
            return
        }
        guard events.contains(.writable), !waiting.isEmpty else { return }
        let wasBehind = isBehind
        guard let count = waiting.withUnsafeBytes({ push($0) }) else { return }
        waiting.removeFirst(count)
        if waiting.isEmpty {
            waiting = []
            if isFinishing {
                close()
                return
            }
            listen([])
        }
        if wasBehind, !isBehind { drained() }
    }

    /// Nothing more comes: closes once the rest is taken, within a bounded time.
    func finish() {
        guard target != nil, !isFinishing else { return }
        isFinishing = true
        if waiting.isEmpty {
            close()
        } else {
            loop.after(milliseconds: Self.stallMilliseconds) { self.close() }
        }
    }

    func close() {
        guard let raw = target.number else { return }
        if let token { loop.forget(raw, token: token) }
        token = nil
        target = nil
        waiting = []
        drained()
    }

    /// How many bytes went; nil when the reader is gone.
    private func push(_ data: UnsafeRawBufferPointer) -> Int? {
        guard let raw = target.number else { return nil }
        var count = 0
        while count < data.count {
            let rest = UnsafeRawBufferPointer(rebasing: data[count...])
            let went = Glibc.write(raw, rest.baseAddress, rest.count)
            if went > 0 {
                count += went
            } else if went < 0, errno == EINTR {
                continue
            } else if went < 0, errno == EAGAIN {
                return count
            } else {
                close()
                return nil
            }
        }
        return count
    }

    private func listen(_ events: Epoll.Events) {
        guard let token, let raw = target.number else { return }
        do throws(SystemError) { try loop.change(raw, events, token: token) } catch { close() }
    }
}
