import FuzzKit
import Glibc

@testable import Images

/// Bytes that lie in memory, in pieces as small as a decompressor may give.
final class Memory: ByteSource {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        let piece = bytes[offset..<min(bytes.count, offset + min(buffer.count, 700))]
        buffer.copyBytes(from: piece)
        offset += piece.count
        return piece.count
    }
}

/// A tar archive: each entry's headers, name, mark and data, as a layer's are read.
func read(_ bytes: [UInt8]) {
    var limits = ImageLimits()
    limits.headerBytes = 1 << 16
    let reader = TarReader(Memory(bytes), limits: limits, entryLimit: 1000)
    var total: UInt64 = 0
    while let entry = try? reader.next() {
        precondition(
            entry.extents == nil || entry.extents?.allSatisfy { $0.offset + $0.length <= entry.fileSize } == true)
        if let name = try? EntryName(entry.name, limits: limits) {
            precondition(
                name.parts.allSatisfy { !$0.isEmpty && !$0.contains(0x2f) && !$0.elementsEqual([0x2e, 0x2e]) })
            _ = try? LayerMark(name)
            _ = name.climbsOut(through: entry.link)
        }
        while let piece = try? reader.chunk() { total += UInt64(piece.count) }
    }
    precondition(total <= UInt64(bytes.count), "there is no more data than was given")
}

exit(Fuzzer.run(read))
