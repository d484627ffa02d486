import CLinux
import Glibc
import Linux

/// A child that does nothing but be there: in a namespace that only it holds, or in a cgroup that would vanish without it. It
/// ends with this value, and with this process.
final class IdleProcess {
    let pid: pid_t
    private let pidfd: Pidfd

    /// - Parameter flags: CLONE_NEW….
    init(_ flags: UInt64 = 0) throws(SystemError) {
        var number: Int32 = -1
        pid = pid_t(try check(sys_clone3(flags, &number, -1, SIGCHLD, IdleProcess.wait, nil), "clone3"))
        pidfd = Pidfd(Descriptor(owning: number))
    }

    deinit {
        try? pidfd.signal(SIGKILL)  // it can't have ended by itself
        _ = try? pidfd.wait()
    }

    private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> Void = { _ in
        sys_prctl(1, UInt(SIGKILL), 0, 0, 0)
        while true { pause() }
    }
}
