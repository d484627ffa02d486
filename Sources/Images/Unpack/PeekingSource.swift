/// Passes bytes through, and has had a look at the first ones.
final class PeekingSource: ByteSource {
    private let source: any ByteSource
    let compression: Compression
    private var start: ArraySlice<UInt8>

    init(_ source: any ByteSource) throws(ImportFailure) {
        self.source = source
        var bytes = [UInt8](repeating: 0, count: 6)
        var filled = 0
        while filled < bytes.count {
            let from = filled
            let got = try bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(ImportFailure) in
                    try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[from...]))
                }
            }.get()
            if got == 0 { break }
            filled += got
        }
        start = bytes[..<filled]
        compression = Compression(start: Array(start))
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        guard !start.isEmpty else { return try source.read(into: buffer) }
        let piece = start.prefix(buffer.count)
        buffer.copyBytes(from: piece)
        start = start.dropFirst(piece.count)
        return piece.count
    }
}
