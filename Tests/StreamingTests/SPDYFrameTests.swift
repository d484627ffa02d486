import NIOCore
import Testing

@testable import Streaming

@Suite("Frames of SPDY/3.1")
struct SPDYFrameTests {
    static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }

    static func encode(_ frames: [SPDYFrame]) throws -> [UInt8] {
        let encoder = try SPDYFrameEncoder()
        var out = ByteBuffer()
        for frame in frames { try encoder.encode(data: frame, out: &out) }
        return Array(out.readableBytesView)
    }

    static func decode(_ bytes: [UInt8], piece: Int = .max) throws -> [SPDYFrame] {
        var decoder = try SPDYFrameDecoder()
        var buffer = ByteBuffer()
        var frames: [SPDYFrame] = []
        var rest = bytes[...]
        repeat {
            buffer.writeBytes(rest.prefix(piece))
            rest = rest.dropFirst(piece)
            while let frame = try decoder.next(&buffer) { frames.append(frame) }
        } while !rest.isEmpty
        return frames
    }

    static let all: [SPDYFrame] = [
        .synStream(1, ["streamtype": "error"], fin: false),
        .synStream(3, ["streamtype": "data", "port": "80"], fin: true),
        .synReply(1, [:], fin: false), .synReply(3, ["a": ""], fin: true), .headers(1, ["b": "c"], fin: true),
        .data(1, ByteBuffer(string: "hello"), fin: false), .data(1, ByteBuffer(), fin: true),
        .rstStream(3, .cancel), .settings, .ping(7), .goAway(lastStream: 3, .protocolError), .windowUpdate(1, 65536),
    ]

    @Test("frames are read as they were written") func roundTrip() throws {
        #expect(try Self.decode(Self.encode(Self.all)) == Self.all)
    }

    @Test("however the bytes are cut, the frames are the same, but data comes as it comes", arguments: [1, 2, 7, 13])
    func cut(_ piece: Int) throws {
        var frames = try Self.decode(Self.encode(Self.all), piece: piece)
        // Parts of one frame are put together again.
        while let index = frames.indices.dropLast().first(where: { index in
            if case (.data(let a, let bytes, false), .data(let b, _, _)) = (frames[index], frames[index + 1]) {
                return a == b && bytes.readableBytes < 5
            }
            return false
        }) {
            guard case .data(let stream, var bytes, _) = frames[index],
                case .data(_, let more, let fin) = frames[index + 1]
            else { break }
            if fin && more.readableBytes == 0 { break }
            bytes.writeImmutableBuffer(more)
            frames.replaceSubrange(index...index + 1, with: [.data(stream, bytes, fin: fin)])
        }
        #expect(frames == Self.all)
    }

    @Test("what another deflater wrote is read: blocks build on those before") func golden() throws {
        // zlib's own, level 9, with the dictionary of the draft; the second block names only what is new.
        let bytes = Self.bytes(
            "80030001000000280000000100000000000078f9e3c6a7c202a62346703a2b294a4dcc851625aca9a08006000000ffff"
                + "800300010000001700000003000000000000c22e555c02cc2e00000000ffff"
                + "800300020000000d0000000102321800000000ffff")
        #expect(
            try Self.decode(bytes) == [
                .synStream(1, ["streamtype": "error"], fin: false), .synStream(3, ["streamtype": "stdin"], fin: false),
                .synReply(1, [:], fin: false),
            ])
    }

    @Test("what we write is a zlib stream with the draft's dictionary, and each block ends with its frame")
    func written() throws {
        let bytes = try Self.encode([.synStream(1, ["streamtype": "error"], fin: false)])
        #expect(bytes[..<8].elementsEqual([0x80, 3, 0, 1, 0, 0, 0, UInt8(bytes.count - 8)]))
        // A preset dictionary, and its checksum.
        #expect(bytes[19] & 0x20 != 0 && bytes[20...23].elementsEqual([0xe3, 0xc6, 0xa7, 0xc2]))
        #expect(bytes.suffix(4).elementsEqual([0, 0, 0xff, 0xff]))
        #expect(SPDYDictionary.bytes.count == 1423)
    }

    @Test("large data is cut into frames, and only the last of them ends the stream") func large() throws {
        let bytes = ByteBuffer(repeating: 65, count: SPDYFrame.longestData + 10)
        let written = try Self.encode([.data(1, bytes, fin: true)])
        #expect(written.count == bytes.readableBytes + 16)
        #expect(written[4...7].elementsEqual([0, 0xff, 0xff, 0xff]))
        #expect(written[(8 + SPDYFrame.longestData)...].prefix(8).elementsEqual([0, 0, 0, 1, 1, 0, 0, 10]))
    }

    /// A frame whose block is what it is said to be.
    static func synStream(block: [UInt8], stream: UInt32 = 1) -> [UInt8] {
        var out = ByteBuffer()
        out.writeBytes([0x80, 3, 0, 1])
        out.writeInteger(UInt32(10 + block.count))
        out.writeInteger(stream)
        out.writeRepeatingByte(0, count: 6)
        out.writeBytes(block)
        return Array(out.readableBytesView)
    }

    static func block(_ text: [UInt8]) throws -> [UInt8] { try HeaderDeflater().deflate(text) }

    @Test("what breaks the rules is refused, whatever length it claims") func broken() throws {
        let long = [UInt8](repeating: 0, count: 1 << 20)
        let cases: [(String, [UInt8])] = [
            ("another version", [0x80, 2, 0, 1, 0, 0, 0, 10]),
            ("an unknown type", [0x80, 3, 0, 5, 0, 0, 0, 0]),
            ("a control frame of 16 MiB", [0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]),
            ("data for stream 0", [0, 0, 0, 0, 0, 0, 0, 1, 1]),
            ("stream 0", Self.synStream(block: try Self.block([0, 0, 0, 0]), stream: 0)),
            ("no zlib", Self.synStream(block: [1, 2, 3, 4, 5, 6, 7, 8])),
            ("nothing", Self.synStream(block: [])),
            ("another dictionary", Self.synStream(block: [0x78, 0xf9, 1, 2, 3, 4, 0, 0, 0xff, 0xff])),
            ("a bomb", Self.synStream(block: try Self.block(long))),
            (
                "a header longer than its block",
                Self.synStream(block: try Self.block([0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]))
            ),
            ("too many headers", Self.synStream(block: try Self.block([0xff, 0xff, 0xff, 0xff]))),
            ("more than the headers", Self.synStream(block: try Self.block([0, 0, 0, 0, 9]))),
            (
                "a header twice",
                Self.synStream(
                    block: try Self.block(
                        [0, 0, 0, 2] + Array(repeating: [0, 0, 0, 1, 97, 0, 0, 0, 0], count: 2).joined()))
            ),
            ("a cut SYN_STREAM", [0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]),
            ("an empty PING", [0x80, 3, 0, 6, 0, 0, 0, 0]),
        ]
        for (name, bytes) in cases {
            #expect(throws: SPDYViolation.self, "\(name)") { try Self.decode(bytes) }
        }
        // A bomb costs its limit and no more: it was 1 MiB.
        #expect(try Self.block(long).count < SPDYLimits.controlBytes)
    }
}
