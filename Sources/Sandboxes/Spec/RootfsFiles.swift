import CLinux
import CRI
import Glibc
import Linux

/// Reads an image's own files through a descriptor of its root, which no symbolic link leads out of.
enum RootfsFiles {
    /// More than any sane passwd file has.
    static let limitBytes = 4 << 20

    /// The users and groups of the root filesystem at `rootfs`; absent, odd and oversized files count as empty.
    static func users(rootfs: String) throws(SystemError) -> UserDatabase {
        let root = try File.open(rootfs, OpenFlag.path | O_DIRECTORY)
        return UserDatabase(passwd: read("etc/passwd", root: root.raw), group: read("etc/group", root: root.raw))
    }

    private static func read(_ path: String, root: Int32) -> [UInt8] {
        // Non-blocking: a FIFO must not hold us up. No magic links: they lead out of any root.
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        guard let file = try? RootedPath.open(path, flags, root: root, resolve: [.inRoot, .noMagicLinks]),
            let status = try? file.status(), status.isRegular, status.size <= limitBytes
        else { return [] }
        return (try? file.readAll(limit: limitBytes)) ?? []
    }
}
