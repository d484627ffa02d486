import CLinux
import Glibc
import Linux

/// Removes a directory tree whose contents nobody vouches for, in the store's own errors.
enum TreeRemoval {
    /// Removes `name` in `directory`; not there is success.
    static func remove(_ name: [UInt8], in directory: Int32, path: String) throws(ImportFailure) {
        do throws(SystemError) {
            try Directory.removeTree(named: name.map { CChar(bitPattern: $0) } + [0], at: directory, path: path)
        } catch {
            throw .call("remove (\(error.call))", error.path ?? path, -error.errno.rawValue)
        }
    }

    static func remove(_ path: String) throws(ImportFailure) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let parent = sys_openat(AT_FDCWD, String(path[..<slash]) + "/", O_RDONLY | O_DIRECTORY, 0)
        if parent == -ENOENT { return }
        let directory = OpenFile(owning: try check(parent, "open", path))
        try remove(Array(path[path.index(after: slash)...].utf8), in: directory.fd, path: path)
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
