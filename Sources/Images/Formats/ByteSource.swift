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
