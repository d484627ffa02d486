import Glibc
import JSON
import Linux
import ShimProtocol

/// One client. What it doesn't take is kept up to a bound; beyond it the client is let go: it connects again and asks.
final class ClientConnection: EventTarget {
    /// Frames and bytes that may wait for a client.
    static let mostFrames = 1024
    static let mostBytes = 1 << 20

    private final class Waiting {
        let bytes: [UInt8]
        let descriptor: Descriptor?

        init(_ bytes: [UInt8], _ descriptor: consuming Descriptor?) {
            self.bytes = bytes
            self.descriptor = descriptor
        }
    }

    private let socket: UnixSocket
    private let loop: EventLoop
    private var token: UInt64?
    private var waiting: [Waiting] = []
    private var waitingBytes = 0
    private let received: (ClientConnection, [UInt8], consuming UnixSocket.Message) -> Void
    private let closed: (ClientConnection) -> Void
    /// Events are for those who asked for them.
    var isSubscribed = false

    init(
        socket: consuming UnixSocket, loop: EventLoop,
        received: @escaping (ClientConnection, [UInt8], consuming UnixSocket.Message) -> Void,
        closed: @escaping (ClientConnection) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.received = received
        self.closed = closed
        try socket.descriptor.setNonBlocking(true)
        self.socket = socket
        token = try loop.watch(self.socket.descriptor.raw, .readable, self)
    }

    var isOpen: Bool { token != nil }

    func send(_ frame: ShimFrame, descriptor: consuming Descriptor? = nil) {
        guard isOpen else { return }
        let next = Waiting(frame.encoded(), descriptor)
        if waiting.isEmpty, push(next) { return }
        guard isOpen else { return }
        guard waiting.count < Self.mostFrames, waitingBytes + next.bytes.count <= Self.mostBytes else {
            close()
            return
        }
        if waiting.isEmpty { listen([.readable, .writable]) }
        waiting.append(next)
        waitingBytes += next.bytes.count
    }

    func ready(_ events: Epoll.Events) {
        if events.contains(.writable) { flush() }
        // One request a turn; level-triggered, so the next comes with the next turn.
        if isOpen, !events.isDisjoint(with: [.readable, .error, .hangUp]) { receive() }
    }

    func close() {
        guard let token else { return }
        loop.forget(socket.descriptor.raw, token: token)
        self.token = nil
        waiting = []
        _ = Glibc.shutdown(socket.descriptor.raw, Int32(SHUT_RDWR))
        closed(self)
    }

    private func receive() {
        do throws(SystemError) {
            let message = try socket.receive(
                limit: ShimLimits.frameBytes, mostDescriptors: ShimLimits.descriptors, nonBlocking: true)
            let bytes = message.bytes
            if bytes.isEmpty { close() } else { received(self, bytes, message) }
        } catch {
            if error.errno != .again { close() }
        }
    }

    private func flush() {
        var sent = 0
        for next in waiting {
            guard push(next) else { break }
            sent += 1
            waitingBytes -= next.bytes.count
        }
        guard isOpen else { return }
        waiting.removeFirst(sent)
        if waiting.isEmpty { listen(.readable) }
    }

    /// Whether it went; a client that is gone is closed.
    private func push(_ next: Waiting) -> Bool {
        let numbers = next.descriptor.number.map { [$0] } ?? []
        do throws(SystemError) {
            try socket.send(next.bytes, descriptors: numbers, nonBlocking: true)
            return true
        } catch {
            if error.errno != .again { close() }
            return false
        }
    }

    private func listen(_ events: Epoll.Events) {
        guard let token else { return }
        do throws(SystemError) {
            try loop.change(socket.descriptor.raw, events, token: token)
        } catch {
            close()
        }
    }
}

/// Where the answer to one request goes; the client may be gone by then.
struct Responder {
    weak var client: ClientConnection?
    let id: UInt64

    func succeed(_ reply: Reply = Reply(), descriptor: consuming Descriptor? = nil) {
        client?.send(.reply(id: id, reply), descriptor: descriptor)
    }

    func fail(_ failure: ShimFailure) {
        client?.send(.failure(id: id, failure))
    }
}
