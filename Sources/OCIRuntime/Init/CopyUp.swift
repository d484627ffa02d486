import CLinux
import Glibc
import Linux

/// Fills a new tmpfs with what it covers (`tmpcopyup`).
enum CopyUp {
    /// Copies what is in a folder: files, folders, links, nodes, with owner and mode. Links are never followed and other
    /// mounts never entered.
    ///
    /// - Parameter keepsMode: the new folder has a mode that was asked for, and keeps it
    static func copy(
        from: borrowing Descriptor, to: borrowing Descriptor, keepsMode: Bool = false
    ) throws(SystemError) {
        let status = try from.status()
        try checkErrno(fchownat(to.raw, ".", status.raw.uid, status.raw.gid, 0), "chown")
        if !keepsMode { try checkErrno(fchmodat(to.raw, ".", status.permissions, 0), "chmod") }
        for name in try Directory.names(of: from) {
            do throws(SystemError) {
                try copyEntry(name, from: from.raw, to: to.raw)
            } catch {
                throw SystemError("copy up: \(error.call)", path: name, errno: error.errno)
            }
        }
    }

    private static func copyEntry(_ name: String, from: Int32, to: Int32) throws(SystemError) {
        let status = try FileStatus(at: from, name, followLinks: false)
        let mode = status.permissions
        if status.isDirectory {
            try checkErrno(mkdirat(to, name, mode), "mkdir")
            let source = try RootedPath.open(
                name, O_RDONLY | O_DIRECTORY, root: from, resolve: [.beneath, .noSymlinks, .noCrossMount])
            let target = try File.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: to)
            return try copy(from: source, to: target)
        }
        if status.isSymlink {
            try File.symlink(try File.readLink(name, at: from), name, at: to)
        } else if status.isRegular {
            let source = try File.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: from)
            let target = try File.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: to)
            try copyBytes(source, target)
        } else {
            let raw = status.raw
            try check(sys_mknodat(to, name, raw.mode, raw.rdev_major, raw.rdev_minor), "mknod")
        }
        try checkErrno(fchownat(to, name, status.raw.uid, status.raw.gid, AT_SYMLINK_NOFOLLOW), "chown")
        if !status.isSymlink { try checkErrno(fchmodat(to, name, mode, 0), "chmod") }
    }

    private static func copyBytes(_ source: borrowing Descriptor, _ target: borrowing Descriptor) throws(SystemError) {
        while true {
            let count = sendfile(target.raw, source.raw, nil, 1 << 20)
            if count == 0 { return }
            try checkErrno(count, "sendfile")
        }
    }
}
