import Glibc
import Linux
import OCISpec

/// What a command, and all that descend from it, are known by, whatever they make of themselves: a limit of a number that
/// nobody else has, on a time that no program comes near (a hundred years of real-time scheduling without a pause).
///
/// Limits are handed down by fork(2) and execve(2), and only a process with CAP_SYS_RESOURCE can raise one again
/// (getrlimit(2)). One that lowers it gets away, as does a command of a container that has such a limit of its own.
struct ProcessMark: Sendable {
    private static let resource = "RLIMIT_RTTIME"
    /// How its line begins in `/proc/PID/limits` (proc_pid_limits(5)), which everybody may read: prlimit(2) would ask for
    /// the owner or for CAP_SYS_RESOURCE.
    private static let line = Array("Max realtime timeout ".utf8)

    /// Fewer than 2^53, which every OCI runtime's JSON can hold.
    private let microseconds = UInt64.random(in: 1 << 52..<1 << 53)

    func put(on process: inout OCISpec.Process) {
        guard !process.rlimits.contains(where: { $0.type == Self.resource }) else { return }
        process.rlimits.append(POSIXRlimit(type: Self.resource, hard: microseconds, soft: microseconds))
    }

    func isOn(_ pid: pid_t) -> Bool {
        // One that has ended meanwhile has none.
        guard let limits = try? File.read("/proc/\(pid)/limits", limit: 16 << 10),
            let line = limits.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: Self.line) })
        else { return false }
        // The soft limit, the hard one, and the unit.
        let words = line.dropFirst(Self.line.count).split(separator: UInt8(ascii: " "))
        return words.dropFirst().first.map { $0.elementsEqual("\(microseconds)".utf8) } ?? false
    }
}
