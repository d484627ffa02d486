import CLinux
import Glibc
import Linux

/// Reads one output stream of a container: into its log, and to whoever is attached.
final class OutputPump: EventTarget {
    private enum Progress {
        case read(Int)
        case empty
        case ended
    }

    /// F_GETPIPE_SZ of fcntl(2).
    private static let getPipeSize: Int32 = 1032

    private let loop: EventLoop
    private let scratchpad: Scratchpad
    private let log: LogFile?
    private var lines: LogLines
    private var source: Descriptor?
    private var token: UInt64?
    private var copies: [OutputCopy] = []
    private let ended: () -> Void
    /// A terminal waits for a slow reader, as any terminal does; a pipe never.
    private let waitsForReaders: Bool
    private var stall: UInt64?

    /// - Parameters:
    ///   - source: the read end of the container's pipe, or its terminal's master
    ///   - ended: called when nobody can write any more
    init(
        source: consuming Descriptor, stream: StaticString, log: LogFile?, loop: EventLoop, scratchpad: Scratchpad,
        waitsForReaders: Bool, ended: @escaping () -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.scratchpad = scratchpad
        self.log = log
        self.waitsForReaders = waitsForReaders
        self.ended = ended
        lines = LogLines(stream: stream)
        try source.setNonBlocking(true)
        self.source = consume source
    }

    var hasEnded: Bool { source == nil }

    /// Begins to read.
    func begin() throws(SystemError) {
        guard let raw = source.number, token == nil else { return }
        token = try loop.watch(raw, .readable, self)
    }

    /// Lets another reader have what comes from now on.
    func attach(_ copy: OutputCopy) {
        copies.removeAll { $0.isClosed }
        guard !hasEnded else {
            copy.finish()
            return
        }
        copy.drained = { [weak self] in self?.resumeIfPossible() }
        copies.append(copy)
    }

    func ready(_ events: Epoll.Events) {
        // A few reads a turn, so that one loud container leaves the others their turn.
        for _ in 0..<4 {
            guard case .read(let count) = step(), count == Scratchpad.size, token != nil else { return }
        }
    }

    /// Reads what is there now: at least all that was written before the call.
    func drain() {
        // The writer may be alive and loud (a grandchild): what a pipe or terminal holds at most bounds the work.
        let held = source.number.map { fcntl($0, Self.getPipeSize) } ?? 0
        var left = held > 0 ? Int(held) : 1 << 20
        while left > 0, case .read(let count) = step() { left -= count }
    }

    /// Lets go of those who read along; the log goes on.
    func detachAll() {
        for copy in copies { copy.finish() }
        copies = []
    }

    /// Ends reading, whoever could still write.
    func close() {
        guard source != nil else { return }
        pause()
        source = nil
        scratchpad.lines.removeAll(keepingCapacity: true)
        lines.finish(time: scratchpad.timestamp.format(Clock.wallNanoseconds()), to: &scratchpad.lines)
        if !scratchpad.lines.isEmpty { log?.write(scratchpad.lines) }
        detachAll()
        ended()
    }

    private func step() -> Progress {
        guard let raw = source.number else { return .ended }
        var count = 0
        repeat {
            count = Glibc.read(raw, scratchpad.bytes.baseAddress, scratchpad.bytes.count)
        } while count < 0 && errno == EINTR
        if count < 0, errno == EAGAIN { return .empty }
        guard count > 0 else {
            // 0 is a pipe's end, EIO a terminal's.
            close()
            return .ended
        }
        let data = UnsafeRawBufferPointer(rebasing: scratchpad.bytes[..<count])
        if let log {
            scratchpad.lines.removeAll(keepingCapacity: true)
            let time = scratchpad.timestamp.format(Clock.wallNanoseconds())
            lines.append(data, time: time, to: &scratchpad.lines)
            if !scratchpad.lines.isEmpty { log.write(scratchpad.lines) }
        }
        if !copies.isEmpty { copy(data) }
        return .read(count)
    }

    private func copy(_ data: UnsafeRawBufferPointer) {
        for copy in copies { copy.write(data) }
        copies.removeAll { $0.isClosed }
        guard waitsForReaders, token != nil, copies.contains(where: \.isBehind) else { return }
        pause()
        // One who takes nothing at all must not hold the container up for ever.
        stall = loop.after(milliseconds: OutputCopy.stallMilliseconds) { [weak self] in
            guard let self else { return }
            for copy in copies where copy.isBehind { copy.close() }
            resumeIfPossible()
        }
    }

    private func resumeIfPossible() {
        copies.removeAll { $0.isClosed }
        guard stall != nil, !copies.contains(where: \.isBehind) else { return }
        loop.cancel(stall)
        stall = nil
        // Only EMFILE-like failures are possible; the stream is then as good as ended.
        do throws(SystemError) { try begin() } catch { close() }
    }

    private func pause() {
        if let token, let raw = source.number { loop.forget(raw, token: token) }
        token = nil
    }
}
