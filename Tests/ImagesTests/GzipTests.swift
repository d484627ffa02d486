import Testing

@testable import Images

/// gzip, read in pieces of every size.
struct GzipTests {
    private final class Pieces: ByteSource {
        private var rest: ArraySlice<UInt8>
        private let size: Int

        init(_ bytes: [UInt8], of size: Int) {
            rest = bytes[...]
            self.size = size
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
            let piece = rest.prefix(min(size, buffer.count))
            buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
    }

    private func inflate(_ bytes: [UInt8], pieces: Int, out: Int = 65536) throws(ImportFailure) -> [UInt8] {
        let inflater = GzipInflater(Pieces(bytes, of: pieces))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: out, alignment: 16)
        defer { buffer.deallocate() }
        var output: [UInt8] = []
        while true {
            let count = try inflater.read(into: buffer)
            if count == 0 { return output }
            output += buffer[..<count]
        }
    }

    private let plain: [UInt8] = (0..<200_000).map { UInt8(truncatingIfNeeded: ($0 &* $0) >> 5) }

    @Test(arguments: [1, 2, 3, 7, 100, 4096, 1 << 20]) func `members one behind the other, however they come`(
        _ size: Int
    )
        throws
    {
        let parts = [plain[..<1], plain[1..<1], plain[1..<70_000], plain[70_000...]].map(Array.init)
        let packed = parts.flatMap { gzip($0) }
        #expect(try inflate(packed, pieces: size) == plain)
        #expect(try inflate(packed, pieces: size, out: 1000) == plain)
        // What stands behind the last member means nothing.
        for rest: [UInt8] in [[0], [0x1f], [0, 0, 0, 0], Array("garbage".utf8)] {
            #expect(try inflate(packed + rest, pieces: size) == plain)
        }
    }

    @Test func `what is cut off or changed is refused, wherever it is`() throws {
        let packed = gzip(Array(plain.prefix(5000)))
        for length in stride(from: 0, to: packed.count, by: 37) {
            #expect(throws: ImportFailure.self, "\(length)") { try inflate(Array(packed[..<length]), pieces: 64) }
        }
        for place in stride(from: 10, to: packed.count, by: 61) {
            var changed = packed
            changed[place] ^= 0x10
            #expect(throws: ImportFailure.self, "\(place)") { try inflate(changed, pieces: 1 << 20) }
        }
        #expect(throws: ImportFailure.self) { try inflate(packed + [0x1f, 0x8b, 0, 0], pieces: 1 << 20) }
    }
}
