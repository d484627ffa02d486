import CLinux
import Glibc

/// A file that is seen either as it was or as it will be, never half written.
public enum AtomicFile {
    /// Writes beside the target and renames over it.
    /// - Parameters:
    ///   - mode: exact permission bits, whatever the umask.
    ///   - sync: fsync(2) the file before and its directory after the rename, so that a power cut can't undo or empty it.
    ///   - directory: where a relative path starts.
    public static func write(
        _ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600, sync: Bool = false, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) {
        let temporary = "\(path).\(getpid())-\(sys_gettid()).tmp"
        let file = try File.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode, at: directory)
        do throws(SystemError) {
            try file.writeAll(bytes)
            try checkErrno(fchmod(file.raw, mode), "chmod", temporary)
            if sync { try file.sync() }
            try File.rename(temporary, path, fromDirectory: directory, toDirectory: directory)
        } catch {
            unlinkat(directory, temporary, 0)
            throw SystemError(error.call, path: error.path ?? temporary, errno: error.errno)
        }
        if sync {
            let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            let folder = try File.open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY, at: directory)
            try folder.sync()
        }
    }

    public static func write(
        _ path: String, _ text: String, mode: UInt32 = 0o600, sync: Bool = false, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) {
        try write(path, Array(text.utf8), mode: mode, sync: sync, at: directory)
    }
}
