import Glibc
import Linux

/// The socket on which a created container's init waits for `start`, open until the init has its copy.
final class StartGate {
    private let socket: UnixSocket

    init(_ directory: StateDirectory) throws(RuntimeError) {
        socket = try step("start socket") { () throws(SystemError) in
            try UnixSocket.listen(at: directory.gatePath, .sequencedPacket, backlog: 1)
        }
    }

    var number: Int32 { socket.descriptor.raw }
}
