import FoundationEssentials
import JSON
import TestKit
import Testing

@testable import Streaming

@Suite("Subprotocols of a WebSocket", .serialized, .timeLimit(.minutes(2)))
struct SubprotocolTests {
    private static func collect(
        _ fixture: StreamingFixture, _ protocols: String, _ script: String, stdin: String = ""
    ) async throws -> [UInt8: [UInt8]] {
        let url = try fixture.url("sh", "-c", script, stdin: true)
        let client = try RawClient(url)
        let answer = await client.upgrade(url, protocols: protocols)
        #expect(answer.hasPrefix("HTTP/1.1 101"))
        #expect(answer.contains("Sec-WebSocket-Protocol") == !protocols.isEmpty)
        if !stdin.isEmpty { await client.send(protocols.contains("base64") ? 1 : 2, Array(stdin.utf8)) }
        return await client.collect().channels
    }

    @Test("base 64 is spoken both ways, and its channels are digits") func base64() async throws {
        try await StreamingFixture.use { fixture in
            let input = "0" + Data("ping\n".utf8).base64EncodedString()
            let heard = try await Self.collect(
                fixture, "v4.base64.channel.k8s.io", "read x; printf \"$x\"; exit 3", stdin: input)
            func text(_ channel: Character) -> String {
                let bytes = heard[channel.asciiValue ?? 0] ?? []
                return String(decoding: Data(base64Encoded: Data(bytes)) ?? Data(), as: UTF8.self)
            }
            #expect(text("1") == "ping")
            #expect(try JSONValue.parse(Array(text("3").utf8))["reason"] == "NonZeroExitCode")
        }
    }

    @Test("before version 4 a failure is a text, and a success says nothing", arguments: ["channel.k8s.io", ""])
    func old(_ name: String) async throws {
        try await StreamingFixture.use { fixture in
            let failed = try await Self.collect(fixture, name, "exit 3")
            #expect(
                String(decoding: failed[3] ?? [], as: UTF8.self)
                    == "command terminated with non-zero exit code: exit status 3")
            #expect(try await Self.collect(fixture, name, "echo x")[3] == nil)
        }
    }

    @Test("what is no base 64 ends the connection") func damaged() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("cat", stdin: true)
            let client = try RawClient(url)
            #expect(await client.upgrade(url, protocols: "base64.channel.k8s.io").hasPrefix("HTTP/1.1 101"))
            await client.send(1, Array("0%%%".utf8))
            #expect(await client.collect().code == 1007)
        }
    }
}
