import CRI
import Glibc
import JSON
import NIOCore
import TestKit
import Testing

@testable import Streaming

@Suite("Exec over SPDY", .serialized, .timeLimit(.minutes(2)))
struct SPDYStreamTests {
    @Test(
        "every stream gets its own, ends, and the status comes last",
        arguments: ["v5.channel.k8s.io", "v4.channel.k8s.io"])
    func exec(_ version: String) async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("sh", "-c", "cat; echo err >&2; exit 3", stdin: true)
            let client = try await SPDYClient(url, versions: [version])
            try await client.open("error", "stdin", "stdout", "stderr")
            try await client.send(
                .data(3, ByteBuffer(string: "hel"), fin: false), .data(3, ByteBuffer(string: "lo"), fin: true))
            var order: [UInt32] = []
            var text: [UInt32: String] = [:]
            while order.count < 4, let frame = try await client.next() {
                guard case .data(let stream, let bytes, let fin) = frame else { continue }
                text[stream, default: ""] += String(buffer: bytes)
                if fin { order.append(stream) }
            }
            #expect(text[5] == "hello" && text[7] == "err\n")
            #expect(Set(order[..<2]) == [5, 7] && order[2] == 1 && order[3] == 3)
            let status = try JSONValue.parse(Array((text[1] ?? "").utf8))
            #expect(status["reason"] == "NonZeroExitCode")
            try await client.send(.goAway(lastStream: 0, .ok))
            #expect(try await client.collect().goodbye == .ok)
        }
    }

    @Test("before version 4 a failure is a text, and a success says nothing", arguments: ["v3.", "v2.", ""])
    func old(_ version: String) async throws {
        try await StreamingFixture.use { fixture in
            for (code, words) in [
                (3, "command terminated with non-zero exit code: exit status 3"), (0, ""),
            ] {
                let client = try await SPDYClient(
                    fixture.url("sh", "-c", "exit \(code)"), versions: ["\(version)channel.k8s.io"])
                try await client.open("error", "stdout", "stderr")
                try await client.send(.goAway(lastStream: 0, .ok))
                #expect(try await client.collect().text[1] ?? "" == words)
            }
            // One that names no version is older than their names.
            let client = try await SPDYClient(fixture.url("sh", "-c", "exit 3"), versions: [])
            try await client.open("error", "stdout", "stderr")
            var failure = ""
            while case .data(let stream, let bytes, let fin)? = try await client.next() {
                if stream == 1 { failure += String(buffer: bytes) }
                if stream == 1, fin { break }
            }
            #expect(failure.hasPrefix("command terminated"))
        }
    }

    @Test("the client's order of versions counts") func negotiation() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("true")
            let answer = try await RawClient(url).upgradeToSPDY(
                url, versions: ["v9.x", "v2.channel.k8s.io, v4.channel.k8s.io"])
            #expect(answer.contains("X-Stream-Protocol-Version: v2.channel.k8s.io\r\n"))
        }
    }

    @Test("a terminal follows the sizes, which may be cut anywhere, and a client may open no stream for them")
    func terminal() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await SPDYClient(
                fixture.url("sh", "-c", "read line; stty size; echo got $line", stdin: true, tty: true))
            try await client.open("error", "stdin", "stdout", "resize")
            for piece in ["{\"Width\":10,\"Height\":5}\n{\"Wid", "th\":132,\"Height\":43}\n"] {
                try await client.send(.data(7, ByteBuffer(string: piece), fin: false))
            }
            try await client.send(.data(3, ByteBuffer(string: "hello\n"), fin: false))
            var output = ""
            while case .data(let stream, let bytes, let fin)? = try await client.next() {
                if stream == 5 { output += String(buffer: bytes) }
                if stream == 1, fin { break }
            }
            #expect(output.contains("43 132\r\n") && output.contains("got hello\r\n"))
            let without = try await SPDYClient(fixture.url("echo", "x", tty: true))
            try await without.open("error", "stdout")
            try await without.send(.goAway(lastStream: 0, .ok))
            #expect(try await without.collect().text[3] ?? "" == "x\r\n")
        }
    }

    @Test("pings are answered; streams that nobody knows, or knows already, are reset, and the others go on")
    func odd() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await SPDYClient(fixture.url("cat", stdin: true))
            try await client.open("error", "stdin", "stdout", "stderr")
            try await client.send(
                .ping(5), .ping(4), .settings, .windowUpdate(3, 1 << 16), .headers(3, ["a": "b"], fin: false),
                .synStream(9, ["streamtype": "sidechannel"], fin: false),
                .synStream(11, ["streamtype": "stdin"], fin: false),
                .data(99, ByteBuffer(string: "x"), fin: true), .data(3, ByteBuffer(string: "ok"), fin: true))
            #expect(try await client.next() == .ping(5))
            #expect(try await client.next() == .rstStream(9, .protocolError))
            #expect(try await client.next() == .rstStream(11, .streamInUse))
            try await client.send(.goAway(lastStream: 0, .ok))
            #expect(try await client.collect().text[5] == "ok")
        }
    }

    @Test("a client that resets its output is sent no more of it, and still hears how the command ended")
    func reset() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await SPDYClient(
                fixture.url("sh", "-c", "read x; head -c 1000000 /dev/zero; exit 4", stdin: true))
            try await client.open("error", "stdin", "stdout", "stderr")
            try await client.send(.rstStream(5, .cancel), .data(3, ByteBuffer(string: "go\n"), fin: false))
            var sent = 0
            var status = ""
            while case .data(let stream, let bytes, let fin)? = try await client.next() {
                if stream == 5 { sent += bytes.readableBytes }
                if stream == 1 { status += String(buffer: bytes) }
                if stream == 1, fin { break }
            }
            #expect(sent == 0)
            #expect(status.contains("exit status 4"))
        }
    }

    @Test("what can't be started is said in the error stream") func refused() async throws {
        try await StreamingFixture.use { fixture in
            let client = try await SPDYClient(fixture.url("/no/such/program"))
            try await client.open("error", "stdout", "stderr")
            try await client.send(.goAway(lastStream: 0, .ok))
            let heard = try await client.collect()
            #expect(heard.text[1]?.contains("exec /no/such/program: No such file or directory") == true)
        }
    }
}
