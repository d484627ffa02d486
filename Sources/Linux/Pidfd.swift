import CLinux
import Glibc

/// A process by descriptor (pidfd_open(2)): the number may be reused, the descriptor never names another process.
public struct Pidfd: ~Copyable, Sendable {
    public let descriptor: Descriptor

    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// ESRCH when there is no such process (or it was reaped).
    public init(pid: pid_t) throws(SystemError) {
        descriptor = Descriptor(owning: try check(sys_pidfd_open(pid, 0), "pidfd_open \(pid)"))
    }

    /// Opens only if the process with this number is the one that started at `startTime` (``ProcessStat/startTime``).
    public init(pid: pid_t, startTime: UInt64) throws(SystemError) {
        let opened = Descriptor(owning: try check(sys_pidfd_open(pid, 0), "pidfd_open \(pid)"))
        // The order matters: while the descriptor is open and the process alive, the number can't change hands.
        let stat = try ProcessStat(pid: pid)
        if stat.startTime != startTime { throw SystemError("pidfd_open \(pid)", errno: .noProcess) }
        descriptor = opened
    }

    /// The process's number in the pid namespace of /proc; ESRCH when it was reaped or has none there (pidfd_open(2)).
    public func number() throws(SystemError) -> pid_t {
        let path = "/proc/self/fdinfo/\(descriptor.raw)"
        for line in try File.readText(path, limit: 4096).split(separator: "\n") where line.hasPrefix("Pid:") {
            let text = line.dropFirst(4).drop { $0 == " " || $0 == "\t" }
            if let number = pid_t(text), number > 0 { return number }
        }
        throw SystemError("find the process of a pidfd", path: path, errno: .noProcess)
    }

    /// pidfd_send_signal(2). Signal 0 only asks.
    public func signal(_ signal: Int32) throws(SystemError) {
        try check(sys_pidfd_send_signal(descriptor.raw, signal), "pidfd_send_signal \(signal)")
    }

    /// Reaps a child. Nil when `block` is false and it still runs.
    public func wait(block: Bool = true) throws(SystemError) -> ExitStatus? {
        try ExitStatus.wait(kind: 3, id: UInt32(descriptor.raw), block: block)?.status
    }

    /// Waits until the process ends, child or not, without reaping it. False on time-out.
    public func ended(withinMilliseconds timeout: Int32) throws(SystemError) -> Bool {
        try check(sys_poll(descriptor.raw, Int16(POLLIN), timeout), "poll pidfd") != 0
    }
}

/// How a process ended.
public enum ExitStatus: Hashable, Sendable {
    case exited(code: Int32)
    case signalled(Int32)

    /// What a shell calls it: the code, or 128 + signal.
    public var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }

    /// Reaps any child that has ended: nil when none has. ECHILD when there are no children.
    public static func reapAny() throws(SystemError) -> (pid: pid_t, status: ExitStatus)? {
        try wait(kind: 0, id: 0, block: false)
    }

    /// Reaps the child `pid`.
    public static func reap(_ pid: pid_t, block: Bool = true) throws(SystemError) -> ExitStatus? {
        try wait(kind: 1, id: UInt32(pid), block: block)?.status
    }

    static func wait(kind: Int32, id: UInt32, block: Bool) throws(SystemError) -> (pid: pid_t, status: ExitStatus)? {
        var out = sys_exit()
        // WEXITED 4, WNOHANG 1, __WALL 0x40000000
        let options: Int32 = 4 | (block ? 0 : 1) | 0x4000_0000
        try check(sys_waitid(kind, id, options, &out), "waitid")
        if out.pid == 0 { return nil }
        let status = out.code == Int32(CLD_EXITED) ? ExitStatus.exited(code: out.status) : .signalled(out.status)
        return (out.pid, status)
    }
}
