import CRI
import Glibc
import Streaming
import TestKit
import Testing

@Suite("Who may open a stream", .serialized, .timeLimit(.minutes(2)))
struct TicketTests {
    @Test("a URL opens one stream, once, and soon") func once() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("true")
            #expect(url.split(separator: "/").last?.count == 64)
            #expect(try await fixture.run(url).status == .success)
            let again = try await RawClient(url).upgrade(url)
            #expect(again.hasPrefix("HTTP/1.1 404"))
            #expect(again.contains("opened already or its address has expired"))
        }
        try await StreamingFixture.use({ $0.ticketLifetime = .zero }) { fixture in
            let url = try fixture.url("true")
            #expect(try await RawClient(url).upgrade(url).hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test("a guessed token opens nothing, nor does a good one for another verb") func guessed() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("true")
            let guess = String(url.dropLast(64)) + String(repeating: "0", count: 64)
            #expect(try await RawClient(guess).upgrade(guess).hasPrefix("HTTP/1.1 404"))
            let other = url.replacing("/exec/", with: "/attach/")
            #expect(try await RawClient(other).upgrade(other).hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test("unused URLs are bounded") func bounded() async throws {
        try await StreamingFixture.use({ $0.maximumTickets = 3 }) { fixture in
            for _ in 0..<3 { _ = try fixture.url("true") }
            let failure = #expect(throws: CRIError.self) { _ = try fixture.url("true") }
            #expect(failure?.code == .resourceExhausted)
        }
    }

    @Test("connections are bounded") func connections() async throws {
        try await StreamingFixture.use({ $0.maximumConnections = 1 }) { fixture in
            let first = try fixture.url("cat", stdin: true)
            let client = try RawClient(first)
            #expect(await client.upgrade(first).hasPrefix("HTTP/1.1 101"))
            let second = try fixture.url("true")
            let other = try RawClient(second)
            _ = await other.upgrade(second)
            #expect(await other.collect().code == 1013)
            await client.send(8, [3, 232])
        }
    }

    @Test("connections without a ticket are few, and keep nobody out who has one") func strangers() async throws {
        // Checked: without the bound all of them stay open, and a thousand more would.
        try await StreamingFixture.use({ $0.maximumStrangers = 4 }) { fixture in
            let url = try fixture.url("cat", stdin: true)
            let guest = try RawClient(url)
            #expect(await guest.upgrade(url).hasPrefix("HTTP/1.1 101"))
            let others = try (0..<5).map { _ in try RawClient(url) }
            // One of them was closed for the fifth; which of them came first only the server's threads know.
            try await eventually("one has no place any more") { others.count(where: \.hasEnded) == 1 }
            #expect(try await fixture.run(fixture.url("echo", "fine")).output == "fine\n")
            // One that has shown its ticket is no stranger.
            await guest.send(2, [0] + Array("still here".utf8))
            await guest.send(2, [255, 0])
            #expect(String(decoding: await guest.collect().channels[1] ?? [], as: UTF8.self) == "still here")
            // Nor do they keep the server from its end.
            withExtendedLifetime(others) {}
        }
    }

    @Test("what can't be a stream is refused before there is a URL") func invalid() async throws {
        try await StreamingFixture.use { fixture in
            var request = CRIExecRequest()
            #expect(throws: CRIError.self) { _ = try fixture.server.exec(request) }
            request.containerID = "c1"
            request.cmd = ["sh"]
            #expect(throws: CRIError.self) { _ = try fixture.server.exec(request) }
            request.stdout = true
            request.stderr = true
            request.tty = true
            let failure = #expect(throws: CRIError.self) { _ = try fixture.server.exec(request) }
            #expect(failure?.message.contains("tty and stderr") == true)
        }
    }

    @Test("plain requests and unknown subprotocols are refused by name, and the ticket stays good")
    func refusals() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("true")
            let spdy = try await RawClient(url).upgradeToSPDY(url, versions: ["v9.channel.k8s.io"])
            #expect(spdy.hasPrefix("HTTP/1.1 403") && spdy.contains("offered was v9.channel.k8s.io"))
            for version in ["v5.", "v4.", "v3.", "v2.", ""] {
                #expect(spdy.contains("X-Accepted-Stream-Protocol-Versions: \(version)channel.k8s.io\r\n"))
            }
            let http2 = try await RawClient(url).upgrade(url, protocols: "", upgrade: "h2c")
            #expect(http2.hasPrefix("HTTP/1.1 400") && http2.contains("an upgrade to SPDY/3.1, or to a WebSocket"))
            let unknown = try await RawClient(url).upgrade(url, protocols: "v9.channel.k8s.io")
            #expect(unknown.hasPrefix("HTTP/1.1 400") && unknown.contains("offered was v9.channel.k8s.io"))
            let plain = try RawClient(url)
            await plain.send("GET \(url.dropFirst("http://".count).drop { $0 != "/" }) HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = String(decoding: await plain.read(300) ?? [], as: UTF8.self)
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400"))
            let nothing = try RawClient(url)
            #expect(await nothing.upgrade("http://x/").hasPrefix("HTTP/1.1 404"))
            #expect(try await fixture.run(url).status == .success)
        }
    }
}
