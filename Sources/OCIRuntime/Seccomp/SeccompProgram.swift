import CLinux
import Glibc
import Linux

/// A compiled filter, ready for the kernel.
final class SeccompProgram: Sendable {
    /// `struct sock_filter`s, 8 bytes each.
    let bytes: [UInt8]
    /// SECCOMP_FILTER_FLAG_….
    let flags: UInt32

    init(bytes: [UInt8], flags: UInt32) {
        self.bytes = bytes
        self.flags = flags
    }

    /// SECCOMP_FILTER_FLAG_SPEC_ALLOW, which runc sets when the configuration has no list of flags.
    static let specAllow: UInt32 = 4

    /// SECCOMP_FILTER_FLAG_NEW_LISTENER.
    static let newListener: UInt32 = 8
    /// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19).
    static let waitKillable: UInt32 = 32

    /// Whether some calls are an agent's to decide.
    var usesListener: Bool { flags & SeccompProgram.newListener != 0 }

    /// seccomp(2). From here on the filter judges this process too.
    /// - Returns: the notify descriptor's number, close-on-exec, if the filter has one.
    func load() throws(RuntimeError) -> Int32 {
        let count = UInt16(bytes.count / 8)
        let result = bytes.withUnsafeBytes { sys_seccomp_load(flags, $0.baseAddress, count) }
        if result < 0 { throw RuntimeError("linux.seccomp", SystemError("seccomp", errno: Errno(rawValue: -result))) }
        return result
    }
}
