import CLinux
import Glibc

/// Bytes in order, from a file, a decompressor, or another thread.
protocol ByteSource: AnyObject {
    /// Fills the front of `buffer` and returns how many bytes came; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int

    /// Passes over `count` bytes; less were there when less is returned.
    func skip(_ count: UInt64) throws(ImportFailure) -> UInt64
}

extension ByteSource {
    func skip(_ count: UInt64) throws(ImportFailure) -> UInt64 {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { scratch.deallocate() }
        var left = count
        while left > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: scratch[..<Int(min(left, UInt64(scratch.count)))])
            let got = try read(into: piece)
            if got == 0 { break }
            left -= UInt64(got)
        }
        return count - left
    }
}

/// A part of an open file, read with pread: several windows on one descriptor don't disturb each other.
final class FileWindow: ByteSource {
    private let file: OpenFile
    private let path: String
    private var offset: UInt64
    private let end: UInt64
    private let progress: ((UInt64) throws(ImportFailure) -> Void)?

    /// - Parameter progress: called with the bytes of each read
    init(
        _ file: OpenFile, path: String, offset: UInt64, length: UInt64,
        progress: ((UInt64) throws(ImportFailure) -> Void)? = nil
    ) {
        self.file = file
        self.path = path
        self.offset = offset
        self.end = offset + length
        self.progress = progress
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        let wanted = Int(min(UInt64(buffer.count), end - offset))
        guard wanted > 0 else { return 0 }
        while true {
            let count = pread(file.fd, buffer.baseAddress, wanted, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw .call("read", path, -errno) }
            if count == 0 { throw .refused(entry: nil, reason: "the file became shorter while it was read") }
            offset += UInt64(count)
            try progress?(UInt64(count))
            return count
        }
    }

    func skip(_ count: UInt64) throws(ImportFailure) -> UInt64 {
        let skipped = min(count, end - offset)
        offset += skipped
        return skipped
    }
}

/// Passes bytes through and takes their digest and count.
final class HashingSource: ByteSource {
    private let source: any ByteSource
    private var stream = DigestStream()
    private(set) var count: UInt64 = 0

    init(_ source: any ByteSource) { self.source = source }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        let got = try source.read(into: buffer)
        stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
        count += UInt64(got)
        return got
    }

    /// Reads to the end, so that the digest covers what no one else wanted.
    func drain() throws(ImportFailure) {
        while try skip(1 << 30) > 0 {}
    }

    func digest() -> Digest { stream.digest() }
}
