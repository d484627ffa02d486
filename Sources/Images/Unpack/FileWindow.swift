import Glibc

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

extension OpenFile {
    /// Looks at the first bytes of a part of the file.
    func compression(at offset: UInt64, length: UInt64, path: String) throws(ImportFailure) -> Compression {
        var start = [UInt8](repeating: 0, count: Int(min(6, length)))
        let count = pread(fd, &start, start.count, off_t(offset))
        if count < 0 { throw .call("read", path, -errno) }
        return Compression(start: Array(start[..<count]))
    }
}
