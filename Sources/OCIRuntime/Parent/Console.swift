import CLinux
import Glibc
import Linux

/// What the child has to know of the terminal.
struct ConsoleTarget {
    /// The connected socket that the master is sent to, or -1.
    let socket: Int32
    /// This runtime carries the bytes; then the pty leaves "\n" as it is, since the terminal outside makes "\r\n" of it.
    /// On a caller's console socket the pty is as the kernel makes it, which is what shims and kubectl rely on.
    let isCarriedHere: Bool
}

/// Where the container's pty goes: to the caller's console socket, or to this process's own terminal.
final class Console {
    private let socket: Descriptor?
    /// Who carries the bytes when the terminal stays here.
    let proxy: TerminalProxy?

    private init(_ socket: consuming Descriptor?, _ proxy: TerminalProxy?) {
        self.socket = socket
        self.proxy = proxy
    }

    var target: ConsoleTarget {
        switch socket {
        case .some(let socket): ConsoleTarget(socket: socket.raw, isCarriedHere: proxy != nil)
        case .none: ConsoleTarget(socket: -1, isCarriedHere: false)
        }
    }

    /// - Parameter here: whether this process stays in the foreground.
    static func open(_ process: ProcessPlan, socket path: String?, here: Bool) throws(RuntimeError) -> Console {
        guard process.terminal else {
            if path != nil { throw RuntimeError("--console-socket is only for a process with a terminal") }
            return Console(nil, nil)
        }
        if let path {
            return try step("console socket") { () throws(SystemError) in
                Console(try UnixSocket.connect(to: path, .stream).descriptor.duplicate(), nil)
            }
        }
        if !here { throw RuntimeError("cannot allocate tty if the runtime will detach without setting console socket") }
        var ends: [Int32] = [-1, -1]
        try step("terminal") { () throws(SystemError) in try check(sys_unix_socketpair(1, &ends), "socketpair") }
        return Console(Descriptor(owning: ends[0]), TerminalProxy(UnixSocket(Descriptor(owning: ends[1]))))
    }
}
