import CLinux
import Glibc

/// Removing what nobody vouches for: names of any bytes, and as deep as somebody liked to make it.
extension Directory {
    /// Directories open at once; a deeper one is moved up to the top and taken from there, so that neither descriptors nor
    /// stack grow with the depth.
    private static let openDepth = 48

    /// Removes a tree. Symlinks are removed, never followed; a mount below it is never entered (EXDEV) and stops the work,
    /// so that what is mounted there survives. A tree that isn't there is success.
    ///
    /// - Throws: with the path of the tree, and of what is at fault below it when that isn't too long to be read
    public static func removeTree(_ path: String, at directory: Int32 = AT_FDCWD) throws(SystemError) {
        // The tree's own path may lie on any mount; only what is below it may not cross one.
        let isEntry = directory != AT_FDCWD && !path.contains("/")
        try removeTree(named: path.utf8CString.map { $0 }, at: directory, resolve: isEntry ? below : 0, path: path)
    }

    /// The same for an entry of an open directory, by the bytes of its name, which end with a zero.
    public static func removeTree(named name: [CChar], at directory: Int32, path: String) throws(SystemError) {
        try removeTree(named: name, at: directory, resolve: below, path: path)
    }

    /// RESOLVE_NO_XDEV and RESOLVE_NO_SYMLINKS (openat2(2)).
    private static let below: UInt64 = 0x01 | 0x04
    private static let flags = UInt64(O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

    private static func removeTree(
        named name: [CChar], at directory: Int32, resolve: UInt64, path: String
    ) throws(SystemError) {
        if unlinkat(directory, name, 0) == 0 || Glibc.errno == ENOENT { return }
        guard [EISDIR, EPERM, ENOTEMPTY].contains(Glibc.errno) else {
            throw SystemError("unlink", path: path, errno: .current)
        }
        let opened = sys_openat2(directory, name, flags, 0, resolve)
        if opened == -ENOENT { return }
        let root = Descriptor(owning: try check(opened, "open", path))
        // What was moved up became an entry of the root while the root was read: go on until nothing comes up any more.
        var lifted = 0
        repeat {
            lifted = 0
            try empty(root, top: root.raw, depth: 1, lifted: &lifted, path: path)
        } while lifted > 0
        // Somebody else may have been quicker.
        if unlinkat(directory, name, AT_REMOVEDIR) != 0, Glibc.errno != ENOENT {
            throw SystemError("rmdir", path: path, errno: .current)
        }
    }

    private static func empty(
        _ folder: borrowing Descriptor, top: Int32, depth: Int, lifted: inout Int, path: String
    ) throws(SystemError) {
        for name in try rawNames(of: folder, path) {
            if unlinkat(folder.raw, name, 0) == 0 || Glibc.errno == ENOENT { continue }
            guard Glibc.errno == EISDIR || Glibc.errno == EPERM else { throw failure("unlink", path, name) }
            if unlinkat(folder.raw, name, AT_REMOVEDIR) == 0 || Glibc.errno == ENOENT { continue }
            guard Glibc.errno == ENOTEMPTY || Glibc.errno == EEXIST else { throw failure("rmdir", path, name) }
            if depth >= openDepth {
                lifted += 1
                let unique = ".lifted-\(lifted)-\(UInt64.random(in: 0 ... .max))"
                try check(sys_renameat2(folder.raw, name, top, unique, 0), "move up in", path)
                continue
            }
            let opened = sys_openat2(folder.raw, name, flags, 0, below)
            guard opened >= 0 else {
                throw SystemError("open", path: inner(path, name), errno: Errno(rawValue: -opened))
            }
            let child = Descriptor(owning: opened)
            try empty(child, top: top, depth: depth + 1, lifted: &lifted, path: inner(path, name))
            guard unlinkat(folder.raw, name, AT_REMOVEDIR) == 0 || Glibc.errno == ENOENT else {
                throw failure("rmdir", path, name)
            }
        }
    }

    private static func failure(_ call: String, _ path: String, _ name: [CChar]) -> SystemError {
        let reason = Errno.current
        return SystemError(call, path: inner(path, name), errno: reason)
    }

    /// Of a path that nobody could read any more the beginning is enough.
    private static func inner(_ path: String, _ name: [CChar]) -> String {
        guard path.utf8.count < 512 else { return path }
        return path + "/" + String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// All names but `.` and `..`, each with its zero at the end.
    private static func rawNames(of folder: borrowing Descriptor, _ path: String) throws(SystemError) -> [[CChar]] {
        let own = try File.open(".", O_RDONLY | O_DIRECTORY, at: folder.raw)
        guard let stream = fdopendir(own.raw) else { throw SystemError("opendir", path: path, errno: .current) }
        _ = own.release()
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while true {
            Glibc.errno = 0
            guard let entry = readdir(stream) else {
                if Glibc.errno != 0 { throw SystemError("readdir", path: path, errno: .current) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                    Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1))
                }
            }
            if name != [46, 0] && name != [46, 46, 0] { names.append(name) }
        }
    }
}
