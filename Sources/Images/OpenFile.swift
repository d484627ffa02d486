import CLinux
import Glibc

/// A descriptor that closes itself.
final class OpenFile: Sendable {
    let fd: Int32

    /// Takes the descriptor over.
    init(owning fd: Int32) { self.fd = fd }

    deinit { close(fd) }

    static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(ImportFailure) -> OpenFile {
        OpenFile(owning: try check(sys_openat(AT_FDCWD, path, flags, mode), "open", path))
    }

    /// A directory, for calls below it.
    static func directory(_ path: String) throws(ImportFailure) -> OpenFile {
        try open(path, O_RDONLY | O_DIRECTORY)
    }
}

/// openat2's `resolve` flags (openat2(2)).
enum Resolve {
    static let noXDev: UInt64 = 0x01
    static let noMagicLinks: UInt64 = 0x02
    static let noSymlinks: UInt64 = 0x04
    static let beneath: UInt64 = 0x08
}

/// `mkdir -p`; the directories that it makes get `mode`.
func makeDirectories(_ path: String, mode: mode_t = 0o700) throws(ImportFailure) {
    var built = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
        built += "/" + part
        if mkdir(built, mode) != 0 && errno != EEXIST { throw .call("mkdir", built, -errno) }
    }
}

/// Replaces `path` by `bytes` in one step: a reader sees the old file or the new one. After a power cut it may be neither:
/// what was written since the last sync is then made again from the tarballs.
func replaceFile(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(ImportFailure) {
    let temporary = path + ".new"
    let file = try OpenFile.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
    do throws(ImportFailure) {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(ImportFailure) in try writeAll(file.fd, buffer, temporary) }
        }.get()
        try checkErrno(rename(temporary, path), "rename", path)
    } catch {
        unlink(temporary)
        throw error
    }
}

func writeAll(_ fd: Int32, _ buffer: UnsafeRawBufferPointer, _ path: @autoclosure () -> String) throws(ImportFailure) {
    var rest = buffer
    while let base = rest.baseAddress, !rest.isEmpty {
        let count = write(fd, base, rest.count)
        if count < 0 {
            if errno == EINTR { continue }
            throw .call("write", path(), -errno)
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
}

/// The whole of a file that must not be larger than `limit` bytes; nil when it isn't there.
func readFile(_ path: String, limit: Int) throws(ImportFailure) -> [UInt8]? {
    let fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
    if fd == -ENOENT { return nil }
    let file = OpenFile(owning: try check(fd, "open", path))
    var status = stat()
    try checkErrno(fstat(file.fd, &status), "stat", path)
    let tooMuch = ImportFailure.failed(
        step: "read", path: path, reason: "not a regular file of at most \(limit) bytes")
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else { throw tooMuch }
    // Files of /proc have content without having a size.
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: max(4096, Int(status.st_size) + 1))
    while true {
        let count = read(file.fd, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        if count < 0 { throw .call("read", path, -errno) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
        guard bytes.count <= limit else { throw tooMuch }
    }
}
