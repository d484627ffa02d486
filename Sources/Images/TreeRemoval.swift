import CLinux
import Glibc

/// Removes a directory tree whose contents nobody vouches for: never through a symlink, never across a mount, with a
/// bounded number of open directories however deep the tree is.
enum TreeRemoval {
    /// Directories open at once; a deeper one is moved up to the top and taken from there.
    private static let openDepth = 48

    /// Removes `name` in `directory`; not there is success.
    static func remove(_ name: [UInt8], in directory: Int32, path: String) throws(ImportFailure) {
        let leaf = name.map { CChar(bitPattern: $0) } + [0]
        if unlinkat(directory, leaf, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM || errno == ENOTEMPTY else { throw .call("remove", path, -errno) }
        let flags = UInt64(O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let root = OpenFile(
            owning: try check(sys_openat2(directory, leaf, flags, 0, Resolve.noXDev | Resolve.noSymlinks), "open", path)
        )
        var lifted = 0
        try empty(root.fd, top: root.fd, depth: 1, lifted: &lifted, path: path)
        // What was moved up became an entry of the root while the root was read: go on until nothing comes up any more.
        while lifted > 0 {
            lifted = 0
            try empty(root.fd, top: root.fd, depth: 1, lifted: &lifted, path: path)
        }
        try checkErrno(unlinkat(directory, leaf, AT_REMOVEDIR), "remove", path)
    }

    static func remove(_ path: String) throws(ImportFailure) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let parent = sys_openat(AT_FDCWD, String(path[..<slash]) + "/", O_RDONLY | O_DIRECTORY, 0)
        if parent == -ENOENT { return }
        let directory = OpenFile(owning: try check(parent, "open", path))
        try remove(Array(path[path.index(after: slash)...].utf8), in: directory.fd, path: path)
    }

    private static func empty(
        _ directory: Int32, top: Int32, depth: Int, lifted: inout Int, path: String
    ) throws(ImportFailure) {
        for name in try names(in: directory, path: path) {
            if unlinkat(directory, name, 0) == 0 || errno == ENOENT { continue }
            guard errno == EISDIR || errno == EPERM else { throw .call("remove something in", path, -errno) }
            if unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT { continue }
            guard errno == ENOTEMPTY || errno == EEXIST else { throw .call("remove something in", path, -errno) }
            if depth >= openDepth {
                lifted += 1
                let unique = ".lifted-\(lifted)-\(UInt64.random(in: 0 ... .max))"
                try check(sys_renameat2(directory, name, top, unique, 0), "move up in", path)
                continue
            }
            let flags = UInt64(O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let child = OpenFile(
                owning: try check(
                    sys_openat2(directory, name, flags, 0, Resolve.noXDev | Resolve.noSymlinks), "open a directory in",
                    path))
            try empty(child.fd, top: top, depth: depth + 1, lifted: &lifted, path: path)
            try checkErrno(unlinkat(directory, name, AT_REMOVEDIR), "remove something in", path)
        }
    }

    /// All names in a directory but `.` and `..`.
    static func names(in directory: Int32, path: String) throws(ImportFailure) -> [[CChar]] {
        let own = try check(sys_openat(directory, ".", O_RDONLY | O_DIRECTORY, 0), "open", path)
        guard let stream = fdopendir(own) else {
            let failure = ImportFailure.call("open", path, -errno)
            close(own)
            throw failure
        }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw .call("read the directory", path, -errno) }
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
