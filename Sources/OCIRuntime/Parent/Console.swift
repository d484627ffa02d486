import CLinux
import Glibc
import Linux

/// Where the container's pty goes: to the caller's console socket, or to this process's own terminal.
final class Console {
    private let socket: Descriptor?
    /// Who carries the bytes when the terminal stays here.
    let proxy: TerminalProxy?

    private init(_ socket: consuming Descriptor?, _ proxy: TerminalProxy?) {
        self.socket = socket
        self.proxy = proxy
    }

    /// What the child sends the master to, or -1.
    var number: Int32 {
        switch socket {
        case .some(let socket): socket.raw
        case .none: -1
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
