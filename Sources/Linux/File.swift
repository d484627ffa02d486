import CLinux
import Glibc

/// Files by path, or by name below a directory descriptor.
public enum File {
    /// openat(2); close-on-exec is always added.
    /// - Parameters:
    ///   - flags: `O_RDONLY`, `O_CREAT`, `O_NOFOLLOW`, `O_PATH`…
    ///   - mode: permission bits for a file that is made, before the umask.
    ///   - directory: where a relative path starts.
    public static func open(
        _ path: String, _ flags: Int32 = O_RDONLY, mode: UInt32 = 0, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) -> Descriptor {
        Descriptor(owning: try check(sys_openat(directory, path, flags, mode), "open", path))
    }

    /// A whole file, at most `limit` bytes (EFBIG beyond it). A fifo that somebody put there is an empty file: it is waited
    /// for by nobody.
    public static func read(
        _ path: String, limit: Int = 64 << 20, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) -> [UInt8] {
        let file = try open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, at: directory)
        do throws(SystemError) {
            return try file.readAll(limit: limit)
        } catch {
            throw SystemError(error.call, path: path, errno: error.errno)
        }
    }

    /// A whole text file; bytes that are no UTF-8 are replaced.
    public static func readText(
        _ path: String, limit: Int = 64 << 20, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) -> String {
        String(decoding: try read(path, limit: limit, at: directory), as: UTF8.self)
    }

    /// Opens without creating and writes in one go, as kernel control files want it.
    public static func writeExisting(
        _ path: String, _ text: String, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) {
        let file = try open(path, O_WRONLY, at: directory)
        do throws(SystemError) {
            try file.writeAll(text)
        } catch {
            throw SystemError(error.call, path: path, errno: error.errno)
        }
    }

    public static func exists(_ path: String, at directory: Int32 = AT_FDCWD) -> Bool {
        faccessat(directory, path, F_OK, 0) == 0
    }

    /// unlinkat(2); a file that isn't there is success.
    public static func remove(_ path: String, at directory: Int32 = AT_FDCWD) throws(SystemError) {
        if unlinkat(directory, path, 0) < 0, Glibc.errno != ENOENT {
            throw SystemError("unlink", path: path, errno: .current)
        }
    }

    /// renameat2(2). `flags`: 1 RENAME_NOREPLACE, 2 RENAME_EXCHANGE.
    public static func rename(
        _ from: String, _ to: String, fromDirectory: Int32 = AT_FDCWD, toDirectory: Int32 = AT_FDCWD, flags: UInt32 = 0
    ) throws(SystemError) {
        try check(sys_renameat2(fromDirectory, from, toDirectory, to, flags), "rename \(from) to", to)
    }

    public static func symlink(
        _ target: String, _ path: String, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) {
        try checkErrno(symlinkat(target, directory, path), "symlink", path)
    }

    /// What a symlink says.
    public static func readLink(_ path: String, at directory: Int32 = AT_FDCWD) throws(SystemError) -> String {
        var length = 0
        var reason: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            length = readlinkat(
                directory, path, UnsafeMutableRawPointer(start).assumingMemoryBound(to: CChar.self), buffer.count)
            if length < 0 { reason = .current }
            count = max(length, 0)
        }
        if let reason { throw SystemError("readlink", path: path, errno: reason) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
