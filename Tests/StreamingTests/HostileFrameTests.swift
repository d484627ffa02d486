import CRI
import Glibc
import Streaming
import Synchronization
import TestKit
import Testing

@Suite("Clients that break the protocol", .serialized, .timeLimit(.minutes(2)))
struct HostileFrameTests {
    /// Opens `cat` and lets `misbehave` do its worst.
    private static func open(
        _ fixture: StreamingFixture, _ misbehave: (RawClient) async -> Void
    ) async throws -> (channels: [UInt8: [UInt8]], code: Int?) {
        let url = try fixture.url("cat", stdin: true)
        let client = try RawClient(url)
        #expect(await client.upgrade(url).hasPrefix("HTTP/1.1 101"))
        await misbehave(client)
        return await client.collect()
    }

    /// The server still serves.
    private static func alive(_ fixture: StreamingFixture) async throws {
        #expect(try await fixture.run(fixture.url("echo", "fine")).output == "fine\n")
    }

    @Test("frames that aren't masked end the connection") func unmasked() async throws {
        try await StreamingFixture.use { fixture in
            #expect(try await Self.open(fixture) { await $0.send(2, [0, 65], masked: false) }.code == 1002)
            try await Self.alive(fixture)
        }
    }

    @Test(
        "channels that don't exist or aren't the client's end the connection", arguments: [1, 2, 3, 5, 77] as [UInt8])
    func channels(_ channel: UInt8) async throws {
        try await StreamingFixture.use { fixture in
            #expect(try await Self.open(fixture) { await $0.send(2, [channel, 65]) }.code == 1002)
            try await Self.alive(fixture)
        }
    }

    @Test("a frame or a message beyond the limit is refused, whatever length it claims") func tooLarge() async throws {
        try await StreamingFixture.use { fixture in
            let claimed = try await Self.open(fixture) {
                await $0.send([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])
            }
            #expect(claimed.code == 1009 || claimed.code == 1002 || claimed.code == nil)
            let fragments = try await Self.open(fixture) { client in
                let piece = [UInt8](repeating: 0, count: 500 << 10)
                await client.send(2, piece, fin: false)
                await client.send(0, piece, fin: false)
                await client.send(0, piece, fin: true)
            }
            #expect(fragments.channels.isEmpty)
            try await Self.alive(fixture)
        }
    }

    @Test("a fragmented message is put together") func fragments() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("sh", "-c", "read x; echo $x", stdin: true)
            let client = try RawClient(url)
            #expect(await client.upgrade(url).hasPrefix("HTTP/1.1 101"))
            await client.send(2, [0] + Array("hel".utf8), fin: false)
            await client.send(9, Array("ping".utf8))
            await client.send(0, Array("lo\n".utf8), fin: true)
            let pong = try #require(await client.frame())
            #expect(pong.opcode == 10 && pong.payload == Array("ping".utf8))
            #expect(await client.collect().channels[1] == Array("hello\n".utf8))
        }
    }

    @Test("empty messages, broken sizes and reserved opcodes do no harm") func odd() async throws {
        try await StreamingFixture.use { fixture in
            let ended = try await Self.open(fixture) { client in
                await client.send(2, [])
                await client.send(2, [4] + Array("{\"Width\":-1}".utf8))
                await client.send(2, [4] + Array(repeating: UInt8(ascii: "["), count: 500))
                await client.send(2, [0] + Array("ok".utf8))
                await client.send(2, [255, 0])
            }
            #expect(ended.channels[1] == Array("ok".utf8) && ended.code == 1000)
            let reserved = try await Self.open(fixture) { await $0.send(3, [0]) }
            #expect(reserved.code == 1002 || reserved.code == nil)
            try await Self.alive(fixture)
        }
    }

    @Test("a client that vanishes takes its stream with it") func vanishing() async throws {
        try await StreamingFixture.use { fixture in
            do {
                let url = try fixture.url("cat", stdin: true)
                let client = try RawClient(url)
                #expect(await client.upgrade(url).hasPrefix("HTTP/1.1 101"))
                try await eventually("it runs") { fixture.runtime.state.withLock { $0.processes.count == 1 } }
            }
            // The pipe's end closes, so cat reads the end of its input.
            let process = try #require(fixture.runtime.state.withLock { $0.processes.values.first })
            try await eventually("cat has ended") {
                var status: Int32 = 0
                return waitpid(process, &status, WNOHANG) != 0
            }
        }
    }

    @Test("a connection that asks for nothing is closed") func silent() async throws {
        try await StreamingFixture.use({ $0.requestLimit = .milliseconds(100) }) { fixture in
            let client = try RawClient(fixture.server.baseURL + "/")
            await client.send("GET / HT")
            #expect(await client.read(1) == nil)
            try await Self.alive(fixture)
        }
    }
}
