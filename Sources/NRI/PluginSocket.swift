import Dispatch
import Glibc
import Linux

/// Where plugins connect: a path, 0600 in a directory of 0700, for the node's own user alone.
final class PluginSocket: Sendable {
    private let path: String
    private let listening: UnixSocket
    private let stop: EventDescriptor
    private let queue = DispatchQueue(label: "kubesim.nri.accept")

    /// - Throws: `SystemError` EBUSY when somebody listens there.
    init(_ path: String) throws(SystemError) {
        self.path = path
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try Directory.make(directory.isEmpty ? "/" : directory, mode: 0o700)
        if File.exists(path) {
            if (try? UnixSocket.connect(to: path, .stream)) != nil {
                throw SystemError("another runtime listens for plugins on", path: path, errno: .busy)
            }
            try File.remove(path)
        }
        stop = try EventDescriptor()
        listening = try UnixSocket.listen(at: path, .stream, mode: 0o600)
    }

    deinit {
        // Whoever connects then is told at once.
        try? File.remove(path)
    }

    /// Who connects, until ``close()``.
    ///
    /// - Parameter each: called for every connection of the node's own user, away from Swift's threads
    func accept(_ each: @escaping @Sendable (consuming UnixSocket) -> Void, _ ended: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            while true {
                var polled = [
                    pollfd(fd: listening.descriptor.raw, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: stop.descriptor.raw, events: Int16(POLLIN), revents: 0),
                ]
                if poll(&polled, 2, -1) < 0, Glibc.errno != EINTR { break }
                if polled[1].revents != 0 { break }
                // One that has gone again, or is somebody else's, is no plugin.
                guard polled[0].revents != 0, let socket = try? listening.accept(),
                    let peer = try? socket.peer(), peer.uid == geteuid() || peer.uid == 0
                else { continue }
                each(socket)
            }
            ended()
        }
    }

    func close() { stop.wake() }
}
