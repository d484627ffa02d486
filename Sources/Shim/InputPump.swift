import Glibc
import Linux

/// A container's standard input, fed by those who are attached. Nothing is read from them before what was read has gone.
final class InputPump: EventTarget {
    private let loop: EventLoop
    private let scratchpad: Scratchpad
    private var target: Descriptor?
    private var token: UInt64?
    private var sources: [InputSource] = []
    private var waiting: [UInt8] = []
    /// The first one that ends its input ends the container's.
    private let closesAfterFirst: Bool
    private var isClosing = false

    /// - Parameter target: the write end of the container's pipe, or its terminal's master
    init(
        target: consuming Descriptor, closesAfterFirst: Bool, loop: EventLoop, scratchpad: Scratchpad
    ) throws(SystemError) {
        self.loop = loop
        self.scratchpad = scratchpad
        self.closesAfterFirst = closesAfterFirst
        let raw = target.raw
        try target.setNonBlocking(true)
        self.target = consume target
        token = try loop.watch(raw, [], self)
    }

    /// Feeds the container from one more source.
    func attach(_ source: consuming Descriptor) throws(SystemError) {
        guard target != nil, !isClosing else { return }
        let input = InputSource(source, pump: self, loop: loop)
        try input.resume()
        sources.append(input)
        if !waiting.isEmpty { input.pause() }
    }

    func ready(_ events: Epoll.Events) {
        if events.contains(.error) || (events.contains(.hangUp) && !events.contains(.writable)) {
            // The container closed its input.
            close()
        } else if events.contains(.writable) {
            flush()
        }
    }

    /// A source can be read.
    func feed(from source: InputSource) {
        guard waiting.isEmpty, target != nil else { return }
        var count = 0
        repeat {
            count = Glibc.read(source.descriptor.raw, scratchpad.bytes.baseAddress, scratchpad.bytes.count)
        } while count < 0 && errno == EINTR
        if count < 0, errno == EAGAIN { return }
        guard count > 0 else {
            source.pause()
            sources.removeAll { $0 === source }
            if closesAfterFirst { closeAfterRest() }
            return
        }
        waiting.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratchpad.bytes[..<count]))
        flush()
    }

    /// Ends the container's input after what was read for it.
    func closeAfterRest() {
        isClosing = true
        dropSources()
        if waiting.isEmpty { close() }
    }

    func close() {
        guard let raw = target.number else { return }
        if let token { loop.forget(raw, token: token) }
        token = nil
        target = nil
        waiting = []
        dropSources()
    }

    private func flush() {
        guard let raw = target.number, let token else { return }
        var sent = 0
        while sent < waiting.count {
            let went = waiting.withUnsafeBytes { Glibc.write(raw, $0.baseAddress.map { $0 + sent }, $0.count - sent) }
            if went > 0 {
                sent += went
            } else if went < 0, errno == EINTR {
                continue
            } else if went < 0, errno == EAGAIN {
                break
            } else {
                close()
                return
            }
        }
        waiting.removeFirst(sent)
        if waiting.isEmpty, isClosing {
            close()
            return
        }
        do throws(SystemError) {
            try loop.change(raw, waiting.isEmpty ? [] : .writable, token: token)
            for source in sources {
                if waiting.isEmpty { try source.resume() } else { source.pause() }
            }
        } catch {
            close()
        }
    }

    private func dropSources() {
        for source in sources { source.pause() }
        sources = []
    }
}

/// Somebody's input, read when there is room for it.
final class InputSource: EventTarget {
    let descriptor: Descriptor
    private weak var pump: InputPump?
    private let loop: EventLoop
    private var token: UInt64?
    /// A regular file can't be watched; it is read whenever the loop comes round.
    private var turn: UInt64?
    private var isFile = false

    init(_ descriptor: consuming Descriptor, pump: InputPump, loop: EventLoop) {
        self.descriptor = descriptor
        self.pump = pump
        self.loop = loop
    }

    deinit {
        pause()
    }

    func resume() throws(SystemError) {
        guard token == nil, turn == nil else { return }
        if !isFile {
            do throws(SystemError) {
                try descriptor.setNonBlocking(true)
                token = try loop.watch(descriptor.raw, .readable, self)
                return
            } catch {
                guard error.errno == .perm else { throw error }
                isFile = true
            }
        }
        turn = loop.after(milliseconds: 0) { [weak self] in
            guard let self else { return }
            turn = nil
            pump?.feed(from: self)
            if let pump, pump.wants(self) { try? resume() }
        }
    }

    /// Not read for now: a watch that is only muted would still report a hang-up without end.
    func pause() {
        if let token { loop.forget(descriptor.raw, token: token) }
        token = nil
        loop.cancel(turn)
        turn = nil
    }

    func ready(_ events: Epoll.Events) {
        pump?.feed(from: self)
    }
}

extension InputPump {
    /// Whether a source is still to be read now.
    func wants(_ source: InputSource) -> Bool {
        waiting.isEmpty && target != nil && sources.contains { $0 === source }
    }
}
