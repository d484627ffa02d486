import CRI
import Glibc
import Streaming
import TestKit
import Testing

@Suite("Port-forward", .serialized, .timeLimit(.minutes(2)))
struct PortForwardTests {
    static func url(_ fixture: StreamingFixture) throws -> String {
        var request = CRIPortForwardRequest()
        request.podSandboxID = "p1"
        return try fixture.server.portForward(request).url
    }

    @Test("bytes go to the port and back") func echo() async throws {
        try await StreamingFixture.use { fixture in
            let url = try Self.url(fixture)
            let client = try RawClient(url)
            #expect(
                await client.upgrade(url, protocols: "v4.channel.k8s.io", query: "?port=7").hasPrefix("HTTP/1.1 101"))
            #expect(await client.frame()?.payload == [0, 7, 0])
            #expect(await client.frame()?.payload == [1, 7, 0])
            await client.send(2, [0] + Array("hello".utf8))
            var echoed: [UInt8] = []
            while echoed.count < 5, let frame = await client.frame() { echoed += frame.payload.dropFirst() }
            #expect(echoed == Array("hello".utf8))
            await client.send(8, [3, 232])
        }
    }

    @Test(
        "our own client joins a socket to it, with the end of its input", arguments: StreamingClient.Transport.allCases)
    func client(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            var ends: [Int32] = [-1, -1]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
            let url = try Self.url(fixture)
            let socket = ends[0]
            async let forwarding: Void = StreamingClient(url: url, transport: transport).forward(
                port: 7, socket: socket)
            #expect(write(ends[1], "hello", 5) == 5)
            shutdown(ends[1], Int32(SHUT_WR))
            try await forwarding
            var echoed = [UInt8](repeating: 0, count: 16)
            #expect(read(ends[1], &echoed, 16) == 5)
            close(ends[1])
        }
    }

    @Test("our own client says why there is no connection", arguments: StreamingClient.Transport.allCases)
    func refused(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            var ends: [Int32] = [-1, -1]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
            let client = try StreamingClient(url: try Self.url(fixture), transport: transport)
            let socket = ends[0]
            let failure = await #expect(throws: CRIError.self) { try await client.forward(port: 81, socket: socket) }
            #expect(failure?.message == "nothing listens on port 81")
            close(ends[1])
        }
    }

    @Test("a port on which nobody listens is said in the error channel") func nobody() async throws {
        try await StreamingFixture.use { fixture in
            let url = try Self.url(fixture)
            let client = try RawClient(url)
            #expect(await client.upgrade(url, query: "?port=81").hasPrefix("HTTP/1.1 101"))
            let (channels, code) = await client.collect()
            #expect(String(decoding: (channels[1] ?? []).dropFirst(2), as: UTF8.self) == "nothing listens on port 81")
            #expect(code == 1000)
        }
    }

    @Test(
        "ports that are missing, wrong or too many are refused", arguments: ["", "?port=0", "?port=x", "?port=65536"])
    func wrong(_ query: String) async throws {
        try await StreamingFixture.use { fixture in
            let url = try Self.url(fixture)
            let refused = try await RawClient(url).upgrade(url, query: query)
            #expect(refused.hasPrefix("HTTP/1.1 400") && refused.contains("?port=8080"))
        }
    }
}
