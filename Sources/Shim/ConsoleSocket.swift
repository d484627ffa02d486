import CLinux
import Glibc
import Linux
import ShimProtocol

/// Where the OCI runtime sends the master of a terminal that it made (`--console-socket`): one connection, one descriptor.
final class ConsoleSocket: EventTarget {
    private let loop: EventLoop
    private let directory: Int32
    private let name: String
    private var listener: UnixSocket?
    private var connection: UnixSocket?
    private var token: UInt64?
    private var master: Descriptor?
    private var arrived: (() -> Void)?

    /// - Parameter directory: the sandbox's private directory, borrowed
    init(directory: Int32, name: String, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        self.directory = directory
        self.name = name
        try File.remove(name, at: directory)
        let socket = try UnixSocket.listen(at: "/proc/self/fd/\(directory)/\(name)", .stream, backlog: 1)
        try socket.descriptor.setNonBlocking(true)
        let raw = socket.descriptor.raw
        listener = consume socket
        token = try loop.watch(raw, .readable, self)
    }

    deinit {
        close()
    }

    /// The path for the runtime: through this process's descriptor, since a socket's path may have 107 bytes only.
    var path: String { "/proc/\(getpid())/fd/\(directory)/\(name)" }

    /// The master, once it came.
    func takeMaster() -> Descriptor? {
        master.take()
    }

    /// Calls back once the master came; at once when it has. Not at all when it never comes.
    func whenArrived(_ action: @escaping () -> Void) {
        if master != nil { action() } else { arrived = action }
    }

    func ready(_ events: Epoll.Events) {
        do throws(SystemError) {
            if connection == nil { try accept() } else { try receive() }
        } catch {
            if error.errno != .again { close() }
        }
    }

    func close() {
        unwatch()
        connection = nil
        listener = nil
        unlinkat(directory, name, 0)
        arrived = nil
    }

    private func accept() throws(SystemError) {
        guard let peer = try listener?.accept() else { return }
        guard try peer.peer().uid == geteuid() else { return }
        try peer.descriptor.setNonBlocking(true)
        unwatch()
        let raw = peer.descriptor.raw
        connection = consume peer
        listener = nil
        token = try loop.watch(raw, .readable, self)
    }

    private func receive() throws(SystemError) {
        guard var message = try connection?.receive(limit: 4096, mostDescriptors: 1, nonBlocking: true) else { return }
        master = message.takeDescriptor()
        let action = arrived
        close()
        if master != nil { action?() }
    }

    private func unwatch() {
        guard let token else { return }
        if let raw = connection?.descriptor.raw ?? listener?.descriptor.raw { loop.forget(raw, token: token) }
        self.token = nil
    }
}
