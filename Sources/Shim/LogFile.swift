import CLinux
import Glibc
import Linux
import ShimProtocol

/// A container's log file, reached only below its pod's log directory, which stays open: whoever can write there (a pod with
/// a hostPath to the logs) can't make the shim write anywhere else.
///
/// With a limit the file is moved away before a line would make it too long; see ``LogDirectory/rotate(_:_:)``.
final class LogFile {
    private let directory: LogDirectory
    private let limit: LogLimit?
    private var file: Descriptor
    /// The file's length, as far as this process knows: others may have cut it.
    private var size: Int64
    /// Bytes that could not be kept: the disk is full. The container goes on all the same.
    private(set) var lostBytes: UInt64 = 0
    /// Called with the reason when the first byte is lost.
    var outputLost: (String) -> Void = { _ in }

    /// Opens or makes the file and the directories above it. A symbolic link on the way, another kind of file than a regular
    /// one, or one with a second name is refused.
    init(_ place: LogPlace) throws(ShimFailure) {
        limit = place.limit
        do throws(SystemError) {
            directory = try LogDirectory(place)
            file = try directory.open()
            size = Int64(clamping: try file.status().size)
        } catch {
            throw ShimFailure(.system, "log below \(place.directory): \(error)")
        }
    }

    /// After a rotation has renamed the file: goes on in a new one. The old one stays in use when this fails.
    func reopen() throws(ShimFailure) {
        do throws(SystemError) {
            let next = try directory.open()
            size = Int64(clamping: try next.status().size)
            file = next
            if let limit { try directory.prune(to: limit.files - 1, fileBytes: limit.fileBytes) }
        } catch {
            throw ShimFailure(.system, "reopen the log below \(directory.path): \(error)")
        }
    }

    /// Appends whole lines. On a full disk, what doesn't fit is dropped by whole lines and counted.
    func write(_ lines: [UInt8]) {
        guard let limit else {
            append(lines[...])
            return
        }
        var rest = lines[...]
        while !rest.isEmpty {
            let room = Int(clamping: limit.fileBytes - size)
            var end = rest.endIndex
            if rest.count > room {
                end = rest.prefix(max(room, 0)).lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.startIndex
            }
            if end > rest.startIndex {
                guard append(rest[..<end]) else {
                    lose(rest[end...].count, nil)
                    return
                }
                rest = rest[end...]
            } else if let reason = makeRoom(limit) {
                lose(rest.count, reason)
                return
            }
        }
    }

    /// Goes on in an empty file; returns why that is not possible.
    private func makeRoom(_ limit: LogLimit) -> SystemError? {
        do throws(SystemError) {
            let real = Int64(clamping: try file.status().size)
            // Somebody has cut it (copytruncate): there is room in it.
            if real < size {
                size = real
                return nil
            }
            guard size > 0 else { return SystemError("a line longer than a file: write", errno: .tooBig) }
            file = try directory.rotate(file, limit)
            size = Int64(clamping: try file.status().size)
            return nil
        } catch {
            return error
        }
    }

    /// Writes lines to the end of the file; false when some were lost.
    @discardableResult
    private func append(_ lines: ArraySlice<UInt8>) -> Bool {
        var written = 0
        let failure = lines.withUnsafeBytes { buffer -> SystemError? in
            while written < buffer.count {
                do throws(SystemError) {
                    written += try file.write(UnsafeRawBufferPointer(rebasing: buffer[written...]))
                } catch {
                    return error
                }
            }
            return nil
        }
        size += Int64(written)
        guard let failure else { return true }
        let newline = lines.prefix(written).lastIndex(of: UInt8(ascii: "\n"))
        let whole = newline.map { $0 + 1 - lines.startIndex } ?? 0
        if written > whole, let real = try? file.status().size {
            // A torn line would spoil the one after it.
            if ftruncate(file.raw, off_t(real) - off_t(written - whole)) == 0 { size -= Int64(written - whole) }
        }
        lose(lines.count - whole, failure)
        return false
    }

    private func lose(_ count: Int, _ reason: SystemError?) {
        guard count > 0 else { return }
        let isFirst = lostBytes == 0
        lostBytes += UInt64(count)
        if isFirst { outputLost(reason?.description ?? "write \(directory.path)") }
    }
}
