import CLinux
import Glibc
import Linux

/// The container's session keyring (session-keyring(7)).
enum SessionKeyring {
    static func name(_ id: String) -> String { "_ses.\(id)" }

    /// Makes (or, for `exec`, joins) the container's own, so that the caller's keys stay the caller's.
    static func join(_ id: String) throws(RuntimeError) {
        let number = sys_join_session_keyring(name(id))
        if number < 0 {
            // A kernel without keyrings has nothing to hide; a full quota is the host's business (keyctl(2)).
            if [-ENOSYS, -EPERM, -EDQUOT, -EACCES].contains(number) { return }
            throw RuntimeError("session keyring", SystemError("keyctl", errno: Errno(rawValue: -number)))
        }
        allowSearch(number)
    }

    /// Lets processes of the same user find it by name, which `exec` does. A keyring that exists already, and is somebody
    /// else's to change, stays as it is.
    private static func allowSearch(_ keyring: Int32) {
        // "type;uid;gid;perm;name": the permissions are hexadecimal.
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = buffer.withUnsafeMutableBytes {
            sys_keyctl(6, UInt(UInt32(bitPattern: keyring)), UInt(bitPattern: $0.baseAddress), UInt($0.count))
        }
        guard count > 0, count <= buffer.count else { return }
        let fields = buffer[..<(count - 1)].split(separator: UInt8(ascii: ";"), maxSplits: 4)
        guard fields.count == 5, let permissions = UInt32(String(decoding: fields[3], as: UTF8.self), radix: 16) else {
            return
        }
        // KEY_USR_SEARCH
        let wanted = permissions | 0x08_0000
        if wanted != permissions { _ = sys_keyctl(5, UInt(UInt32(bitPattern: keyring)), UInt(wanted), 0) }
    }
}
