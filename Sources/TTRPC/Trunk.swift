import Dispatch
import Glibc
import Linux
import Synchronization

/// A socket that is read and written away from Swift's own threads: pieces go out in order, messages come in as a stream.
package final class Trunk: Sendable {
    package enum Event: Sendable {
        case message(channel: UInt32, Frame)
        /// Nothing more comes; why, if it wasn't the other end's wish.
        case closed(WireProblem?)
    }

    /// What may wait to be written, and how many messages may wait to be taken.
    private static let mostWaitingBytes = 32 << 20
    private static let mostWaitingMessages = 4096

    private let socket: UnixSocket
    private let reading = DispatchQueue(label: "kubesim.ttrpc.read")
    private let writing = DispatchQueue(label: "kubesim.ttrpc.write")
    private let waitingBytes = Mutex(0)

    package init(_ socket: consuming UnixSocket) { self.socket = socket }

    /// Begins to read; once. The stream ends with `.closed`.
    package func events(channels: Set<UInt32>) -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingOldest(Trunk.mostWaitingMessages))
        reading.async { [self] in
            var problem: WireProblem?
            do throws(WireProblem) {
                try read(channels, continuation)
            } catch {
                problem = error
            }
            close()
            continuation.yield(.closed(problem))
            continuation.finish()
        }
        return stream
    }

    private func read(
        _ known: Set<UInt32>, _ continuation: AsyncStream<Event>.Continuation
    ) throws(WireProblem) {
        var channels = Channels()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(socket.descriptor.raw, &buffer, buffer.count, 0)
            if count < 0, Glibc.errno == EINTR { continue }
            if count <= 0 { return }
            for (channel, frame) in try channels.receive(buffer[..<count], known: known) {
                if case .dropped = continuation.yield(.message(channel: channel, frame)) {
                    throw WireProblem("more than \(Trunk.mostWaitingMessages) messages that nobody had time for")
                }
            }
        }
    }

    /// Sends a message after all that were sent before; one that can't go closes the trunk.
    package func send(channel: UInt32, _ frame: Frame) {
        let bytes = Channels.pieces(channel, frame)
        let waiting = waitingBytes.withLock { waiting in
            waiting += bytes.count
            return waiting
        }
        // The other end doesn't read.
        if waiting > Trunk.mostWaitingBytes { return close() }
        writing.async { [self] in
            write(bytes)
            waitingBytes.withLock { $0 -= bytes.count }
        }
    }

    private func write(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            do throws(SystemError) {
                start += try socket.send(Array(bytes[start...]))
            } catch {
                if error.errno == .interrupted { continue }
                return close()
            }
        }
    }

    /// Ends both directions; whoever reads or writes finds out.
    package func close() { shutdown(socket.descriptor.raw, Int32(SHUT_RDWR)) }
}
