import CLinux
import Glibc
import Linux

/// Sockets that a service manager has opened for the container (sd_listen_fds(3)): they are the program's descriptors from 3 on.
struct SocketActivation: Sendable, Hashable {
    let count: Int

    /// What the container's first process is told.
    var environment: [String] { count == 0 ? [] : ["LISTEN_FDS=\(count)", "LISTEN_PID=1"] }

    /// None unless LISTEN_PID names this very process, and each descriptor is open.
    static func fromEnvironment() -> SocketActivation {
        guard let pid = getenv("LISTEN_PID"), let number = getenv("LISTEN_FDS"),
            Int32(String(cString: pid)) == getpid(), let count = Int(String(cString: number)),
            (1...1024).contains(count),
            (0..<count).allSatisfy({ fcntl(Int32(3 + $0), F_GETFD) >= 0 })
        else { return SocketActivation(count: 0) }
        return SocketActivation(count: count)
    }
}
