import CLinux
import Glibc

/// Folders by path, or by name below a directory descriptor.
public enum Directory {
    /// Makes a folder and those above it that are missing. One that is there already is success.
    /// - Parameter mode: for the folders that are made, before the umask.
    public static func make(
        _ path: String, mode: UInt32 = 0o755, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) {
        if mkdirat(directory, path, mode) == 0 { return }
        switch Errno.current {
        case .exists:
            if try FileStatus(at: directory, path).isDirectory { return }
            throw SystemError("mkdir", path: path, errno: .notDirectory)
        case .noEntry:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw SystemError("mkdir", path: path, errno: .noEntry)
            }
            try make(String(path[..<slash]), mode: mode, at: directory)
            if mkdirat(directory, path, mode) < 0, Glibc.errno != EEXIST {
                throw SystemError("mkdir", path: path, errno: .current)
            }
        case let other:
            throw SystemError("mkdir", path: path, errno: other)
        }
    }

    /// rmdir(2); a folder that isn't there is success.
    public static func removeEmpty(_ path: String, at directory: Int32 = AT_FDCWD) throws(SystemError) {
        if unlinkat(directory, path, AT_REMOVEDIR) < 0, Glibc.errno != ENOENT {
            throw SystemError("rmdir", path: path, errno: .current)
        }
    }

    /// The names in a folder without "." and "..", in the filesystem's order.
    public static func names(_ path: String, at directory: Int32 = AT_FDCWD) throws(SystemError) -> [String] {
        let folder = try File.open(path, O_RDONLY | O_DIRECTORY, at: directory)
        return try names(consuming: folder, path)
    }

    /// The same for a folder that is open; reads from its beginning.
    public static func names(of folder: borrowing Descriptor) throws(SystemError) -> [String] {
        try names(consuming: try File.open(".", O_RDONLY | O_DIRECTORY, at: folder.raw), nil)
    }

    private static func names(consuming folder: consuming Descriptor, _ path: String?) throws(SystemError) -> [String] {
        guard let stream = fdopendir(folder.raw) else { throw SystemError("opendir", path: path, errno: .current) }
        _ = folder.release()
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            Glibc.errno = 0
            guard let entry = readdir(stream) else {
                if Glibc.errno != 0 { throw SystemError("readdir", path: path, errno: .current) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Removes a tree. Symlinks are removed, never followed; a mount below it is never entered (EXDEV) and stops the work,
    /// so that what is mounted there survives. A tree that isn't there is success.
    public static func removeTree(_ path: String, at directory: Int32 = AT_FDCWD) throws(SystemError) {
        if unlinkat(directory, path, 0) == 0 { return }
        switch Errno.current {
        case .noEntry: return
        case .isDirectory, .perm: break
        case let other: throw SystemError("unlink", path: path, errno: other)
        }
        let noXdevNoSymlinks: UInt64 = 0x01 | 0x04
        // The tree's own path may lie on any mount; only what is below it may not cross one.
        let below = directory != AT_FDCWD && !path.contains("/")
        let resolve: UInt64 = below ? noXdevNoSymlinks : 0
        let flags = UInt64(O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let number = sys_openat2(directory, path, flags, 0, resolve)
        if number == -ENOENT { return }
        let folder = Descriptor(owning: try check(number, "open", path))
        for name in try names(of: folder) {
            do throws(SystemError) {
                try removeTree(name, at: folder.raw)
            } catch {
                throw SystemError(error.call, path: "\(path)/\(error.path ?? name)", errno: error.errno)
            }
        }
        try removeEmpty(path, at: directory)
    }
}
