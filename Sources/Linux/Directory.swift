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
    /// - Parameter limit: how many are read, of a folder that somebody else may have filled.
    public static func names(of folder: borrowing Descriptor, limit: Int = .max) throws(SystemError) -> [String] {
        try names(consuming: try File.open(".", O_RDONLY | O_DIRECTORY, at: folder.raw), nil, limit: limit)
    }

    private static func names(
        consuming folder: consuming Descriptor, _ path: String?, limit: Int = .max
    ) throws(SystemError) -> [String] {
        guard let stream = fdopendir(folder.raw) else { throw SystemError("opendir", path: path, errno: .current) }
        _ = folder.release()
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < limit {
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
        return names
    }
}
