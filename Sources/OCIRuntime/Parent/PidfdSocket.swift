import CLinux
import Glibc
import Linux

/// The socket on which a caller waits for the process's descriptor (runc's --pidfd-socket).
final class PidfdSocket {
    private let socket: UnixSocket

    private init(_ socket: consuming UnixSocket) { self.socket = socket }

    /// Nil when nobody asked for it; connected before anything is made, so that a wrong path costs nothing.
    static func connect(_ path: String?) throws(RuntimeError) -> PidfdSocket? {
        guard let path, !path.isEmpty else { return nil }
        return try step("pidfd socket") { () throws(SystemError) in
            PidfdSocket(try UnixSocket.connect(to: path, .stream))
        }
    }

    /// - Parameter name: what runc calls the process: "standard" for the first, "setns" for one of `exec`.
    func send(_ pidfd: borrowing Pidfd, name: String) throws(RuntimeError) {
        let number = pidfd.descriptor.raw
        try step("pidfd socket") { () throws(SystemError) in
            try socket.send(Array(name.utf8), descriptors: [number])
        }
    }
}
