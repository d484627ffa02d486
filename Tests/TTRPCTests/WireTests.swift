import Testing

@testable import TTRPC

@Suite("ttrpc's messages, and several connections over one")
struct WireTests {
    @Test("a message has its length, stream, kind and flags in front, the highest byte first")
    func bytes() {
        let frame = Frame(stream: 0x01020304, kind: .response, payload: [7, 8])
        #expect(frame.encoded == [0, 0, 0, 2, 1, 2, 3, 4, 2, 0, 7, 8])
        #expect(
            Channels.pieces(1, frame) == [0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 2, 1, 2, 3, 4, 2, 0, 7, 8])
    }

    @Test("messages arrive whole, however the bytes come", arguments: [1, 3, 4096, 100_000])
    func splitting(step: Int) throws {
        let frames = [0, 1, 4085, 4086, 4087, 20_000].map { count in
            Frame(stream: UInt32(count), kind: .request, payload: [UInt8](repeating: UInt8(count % 251), count: count))
        }
        let bytes = frames.flatMap { Channels.pieces(2, $0) } + Channels.pieces(9, frames[0])
        var channels = Channels()
        var found: [Frame] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            found += try channels.receive(bytes[start..<min(start + step, bytes.count)], known: [2]).map(\.frame)
        }
        #expect(found == frames)
    }

    @Test("a message that is larger than the other end's buffer begins with a piece that fills it")
    func pieces() {
        let bytes = Channels.pieces(1, Frame(stream: 1, kind: .request, payload: [UInt8](repeating: 0, count: 5000)))
        #expect(Array(bytes[0..<8]) == [0, 0, 0, 1, 0, 0, 0x10, 0])
        #expect(Array(bytes[8 + 4096..<8 + 4096 + 8]) == [0, 0, 0, 1, 0, 0, 0x03, 0x92])
    }

    @Test("lengths beyond what is allowed are an error at once")
    func limits() {
        // Checked: without the look at a piece's length, or at a message's, nothing is said of it.
        var channels = Channels()
        #expect(throws: WireProblem.self) { try channels.receive([0, 0, 0, 1, 0x40, 0, 0, 11], known: [1]) }
        var others = Channels()
        #expect(throws: WireProblem.self) {
            try others.receive([0, 0, 0, 1, 0, 0, 0, 10, 0, 0x40, 0, 1, 0, 0, 0, 1, 1, 0], known: [1])
        }
    }
}
