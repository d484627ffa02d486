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
