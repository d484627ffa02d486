import CRI
import Glibc
import NIOCore
import Synchronization
import TestKit
import Testing

@testable import Streaming

@Suite("Port-forward over SPDY", .serialized, .timeLimit(.minutes(2)))
struct SPDYForwardTests {
    private static func connect(_ fixture: StreamingFixture) async throws -> SPDYClient {
        try await SPDYClient(PortForwardTests.url(fixture), versions: ["portforward.k8s.io"])
    }

    /// Opens the two streams of one connection, as client-go does: the error's first, whose own half ends at once.
    private static func open(_ client: SPDYClient, _ number: UInt32, port: String = "7") async throws {
        let headers = ["port": port, "requestid": "\(number)"]
        let (error, data) = (4 * number + 1, 4 * number + 3)
        try await client.send(
            .synStream(error, headers.merging(["streamtype": "error"]) { $1 }, fin: false),
            .data(error, ByteBuffer(), fin: true),
            .synStream(data, headers.merging(["streamtype": "data"]) { $1 }, fin: false))
    }

    @Test("many connections go over one, each with its bytes and its end") func many() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await Self.connect(fixture)
            for number in 0..<20 as Range<UInt32> {
                try await Self.open(client, number)
                try await client.send(.data(4 * number + 3, ByteBuffer(string: "hello \(number)"), fin: true))
            }
            var text: [UInt32: String] = [:]
            var ended: Set<UInt32> = []
            while ended.count < 40, let frame = try await client.next() {
                guard case .data(let stream, let bytes, let fin) = frame else { continue }
                text[stream, default: ""] += String(buffer: bytes)
                if fin { ended.insert(stream) }
            }
            for number in 0..<20 as Range<UInt32> {
                #expect(text[4 * number + 3] == "hello \(number)")
                #expect(text[4 * number + 1] == "")
            }
        }
    }

    @Test("a port on which nobody listens is said in the error stream, and the next connection works")
    func nobody() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await Self.connect(fixture)
            try await Self.open(client, 0, port: "81")
            var words = ""
            var ended: [UInt32] = []
            while ended.count < 2, let frame = try await client.next() {
                guard case .data(let stream, let bytes, let fin) = frame else { continue }
                words += String(buffer: bytes)
                if fin { ended.append(stream) }
            }
            #expect(words == "nothing listens on port 81" && ended == [1, 3])
            try await Self.open(client, 1)
            try await client.send(.data(7, ByteBuffer(string: "x"), fin: true))
            try await client.send(.goAway(lastStream: 0, .ok))
        }
    }

    @Test("streams without a port, a type or a place in a pair are reset") func wrong() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await Self.connect(fixture)
            let cases: [SPDYFrame.Headers] = [
                ["streamtype": "data"], ["port": "7"], ["streamtype": "data", "port": "0"],
                ["streamtype": "data", "port": "65536"], ["streamtype": "stdin", "port": "7"],
            ]
            for (index, headers) in cases.enumerated() {
                let stream = UInt32(2 * index + 1)
                try await client.send(.synStream(stream, headers, fin: false))
                #expect(try await client.next() == .rstStream(stream, .protocolError), "\(headers)")
            }
            let half: SPDYFrame.Headers = ["streamtype": "data", "port": "7", "requestid": "1"]
            try await client.send(.synStream(101, half, fin: false), .synStream(103, half, fin: false))
            #expect(try await client.next() == .synReply(101, [:], fin: false))
            #expect(try await client.next() == .rstStream(103, .streamInUse))
        }
    }

    @Test("a client without numbers, as very old ones are, gets its pairs by their order") func unnumbered()
        async throws
    {
        try await StreamingFixture.use { fixture in
            let client = try await Self.connect(fixture)
            try await client.send(
                .synStream(1, ["streamtype": "error", "port": "7"], fin: false),
                .synStream(3, ["streamtype": "data", "port": "7"], fin: false),
                .data(3, ByteBuffer(string: "old"), fin: true))
            var text = ""
            while let frame = try await client.next() {
                guard case .data(let stream, let bytes, let fin) = frame else { continue }
                if stream == 3 { text += String(buffer: bytes) }
                if stream == 1, fin { break }
            }
            #expect(text == "old")
        }
    }

    @Test("a connection that the client resets is closed to the pod, and one that is stuck holds up no other")
    func stuck() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await Self.connect(fixture)
            // Port 9 takes a connection and reads nothing.
            try await Self.open(client, 0, port: "9")
            try await client.send(.data(3, ByteBuffer(repeating: 65, count: 900 << 10), fin: false))
            try await Self.open(client, 1)
            try await client.send(.data(7, ByteBuffer(string: "through"), fin: true))
            var text = ""
            while let frame = try await client.next() {
                guard case .data(let stream, let bytes, let fin) = frame else { continue }
                if stream == 7 { text += String(buffer: bytes) }
                if stream == 5, fin { break }
            }
            #expect(text == "through")
            try await client.send(.rstStream(3, .cancel))
            let sink = try #require(fixture.runtime.state.withLock { $0.sinks.first })
            try await eventually("the pod's end is closed") {
                var bytes = [UInt8](repeating: 0, count: 64 << 10)
                while recv(sink, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
                return recv(sink, &bytes, 1, Int32(MSG_DONTWAIT)) == 0
            }
            close(sink)
        }
    }

    @Test("SPDY goes through a WebSocket, too") func tunnel() async throws {
        try await StreamingFixture.use { fixture in
            let url = try PortForwardTests.url(fixture)
            let client = try RawClient(url)
            let name = "SPDY/3.1+portforward.k8s.io"
            #expect(await client.upgrade(url, protocols: name).contains("Sec-WebSocket-Protocol: \(name)\r\n"))
            let headers = ["port": "7", "requestid": "0"]
            let bytes = try SPDYFrameTests.encode([
                .synStream(1, headers.merging(["streamtype": "error"]) { $1 }, fin: false),
                .synStream(3, headers.merging(["streamtype": "data"]) { $1 }, fin: false),
                .data(3, ByteBuffer(string: "hello"), fin: true),
            ])
            // Messages end where they like.
            for start in stride(from: 0, to: bytes.count, by: 11) {
                await client.send(2, Array(bytes[start..<min(start + 11, bytes.count)]))
            }
            await client.send(9, Array("ping".utf8))
            var decoder = try SPDYFrameDecoder()
            var buffer = ByteBuffer()
            var text = ""
            var ended: Set<UInt32> = []
            var pongs = 0
            while ended.count < 2, let (opcode, payload) = await client.frame() {
                if opcode == 10 { pongs += 1 }
                guard opcode == 2 else { continue }
                buffer.writeBytes(payload)
                while let frame = try decoder.next(&buffer) {
                    guard case .data(let stream, let bytes, let fin) = frame else { continue }
                    text += String(buffer: bytes)
                    if fin { ended.insert(stream) }
                }
            }
            #expect(text == "hello" && ended == [1, 3] && pongs <= 1)
            await client.send(8, [3, 232])
            while let (opcode, _) = await client.frame(), opcode != 8 {}
        }
    }
}
