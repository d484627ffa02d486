import CLinux
import Glibc

/// An open file descriptor with one owner; closed when the owner lets go. Always close-on-exec when made by this module.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, borrowed: never close it, and don't keep it longer than this value.
    public let raw: Int32

    /// Takes ownership of a number that nobody else will close.
    public init(owning raw: Int32) { self.raw = raw }

    deinit { Glibc.close(raw) }

    /// Gives the number away; the receiver closes it.
    public consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    /// Closes and says what close(2) said, which matters for files on network or full filesystems.
    public consuming func close() throws(SystemError) {
        let number = raw
        discard self
        if Glibc.close(number) < 0, Glibc.errno != EINTR { throw SystemError("close", errno: .current) }
    }

    /// A second number for the same open file, at least `atLeast`.
    public func duplicate(atLeast: Int32 = 3) throws(SystemError) -> Descriptor {
        Descriptor(owning: try check(sys_dup_cloexec(raw, atLeast), "dup"))
    }

    /// Whether the descriptor is closed in a program that this process becomes.
    public func setCloseOnExec(_ on: Bool) throws(SystemError) {
        try check(sys_set_cloexec(raw, on ? 1 : 0), "fcntl F_SETFD")
    }

    public func setNonBlocking(_ on: Bool) throws(SystemError) {
        try check(sys_set_nonblocking(raw, on ? 1 : 0), "fcntl F_SETFL")
    }

    /// One read(2), retried on EINTR: how many bytes came, 0 at the end. EAGAIN is thrown as it is.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count = Glibc.read(raw, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let reason = Errno.current
            if reason != .interrupted { throw SystemError("read", errno: reason) }
        }
    }

    /// One write(2), retried on EINTR: how many bytes went.
    public func write(_ buffer: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count = Glibc.write(raw, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let reason = Errno.current
            if reason != .interrupted { throw SystemError("write", errno: reason) }
        }
    }

    /// Everything up to the end of the file, at most `limit` bytes (EFBIG beyond it).
    public func readAll(limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var room = 16 << 10
        while true {
            let start = bytes.count
            var failure: SystemError?
            var ended = false
            bytes.reserveCapacity(start + room)
            let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                count = 0
                while count < room {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                    do throws(SystemError) {
                        let got = try read(into: rest)
                        if got == 0 {
                            ended = true
                            return
                        }
                        count += got
                    } catch {
                        failure = error
                        return
                    }
                }
            }
            if let failure { throw failure }
            if start == 0 { bytes = chunk } else { bytes.append(contentsOf: chunk) }
            if bytes.count > limit { throw SystemError("read", errno: .tooBig) }
            if ended { return bytes }
            room = min(room * 4, 1 << 20)
        }
    }

    /// Writes every byte; only for blocking descriptors.
    public func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try write(rest)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    public func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var failure: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try writeAll(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    public func writeAll(_ text: String) throws(SystemError) { try writeAll(Array(text.utf8)) }

    /// fsync(2).
    public func sync() throws(SystemError) { try checkErrno(fsync(raw), "fsync") }

    /// statx(2) of the open file.
    public func status() throws(SystemError) -> FileStatus { try FileStatus(at: raw, "", emptyPath: true) }
}
