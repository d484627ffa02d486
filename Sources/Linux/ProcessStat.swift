import CLinux
import Glibc

/// What /proc/PID/stat says (proc(5)).
public struct ProcessStat: Sendable, Hashable {
    public let pid: pid_t
    /// The kernel's short name, at most 15 bytes.
    public let name: String
    /// "R", "S", "D", "Z", "T", "X"…
    public let state: Character
    public let parentPID: pid_t
    /// Clock ticks after boot: with the pid it names a process for ever (until the next boot).
    public let startTime: UInt64

    /// Whether it has ended and only waits to be reaped.
    public var isZombie: Bool { state == "Z" || state == "X" }

    /// ESRCH when there is no such process.
    public init(pid: pid_t) throws(SystemError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read("/proc/\(pid)/stat", limit: 8 << 10)
        } catch {
            let gone = error.errno == .noEntry || error.errno == .noProcess
            throw SystemError("read", path: "/proc/\(pid)/stat", errno: gone ? .noProcess : error.errno)
        }
        guard let stat = ProcessStat(pid: pid, bytes) else {
            throw SystemError("read", path: "/proc/\(pid)/stat", errno: .invalid)
        }
        self = stat
    }

    /// Reads one line; nil when it isn't one.
    public init?(pid: pid_t, _ bytes: [UInt8]) {
        // The name may hold spaces and parentheses: the last ")" ends it.
        guard let open = bytes.firstIndex(of: UInt8(ascii: "(")), let close = bytes.lastIndex(of: UInt8(ascii: ")")),
            open < close, close + 2 < bytes.count
        else { return nil }
        var field = 3
        var number: UInt64 = 0
        var parent: UInt64 = 0
        for byte in bytes[(close + 2)...] {
            if byte == UInt8(ascii: " ") {
                if field == 4 { parent = number }
                if field == 22 { break }
                field += 1
                number = 0
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                number = number &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
            }
        }
        guard field == 22 else { return nil }
        self.pid = pid
        name = String(decoding: bytes[(open + 1)..<close], as: UTF8.self)
        state = Character(Unicode.Scalar(bytes[close + 2]))
        parentPID = pid_t(truncatingIfNeeded: parent)
        startTime = number
    }
}
