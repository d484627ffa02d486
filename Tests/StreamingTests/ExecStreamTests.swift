import CRI
import Glibc
import JSON
import Streaming
import Synchronization
import TestKit
import Testing

@Suite("Exec and attach", .serialized, .timeLimit(.minutes(2)))
struct ExecStreamTests {
    @Test("output, errors and the exit code arrive", arguments: StreamingClient.Transport.allCases)
    func exec(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            let ended = try await fixture.run(
                fixture.url("sh", "-c", "echo out; echo err >&2; exit 3"), by: transport)
            #expect(ended.output == "out\n")
            #expect(ended.errors == "err\n")
            #expect(ended.status == .exited(code: 3))
            #expect(try await fixture.run(fixture.url("true"), by: transport).status == .success)
            let killed = try await fixture.run(fixture.url("sh", "-c", "kill -9 $$"), by: transport)
            #expect(killed.status == .exited(code: 137))
        }
    }

    @Test("what comes together with the upgrade's answer is not lost") func earlyOutput() async throws {
        // Checked: with NIO's own default, which drops those bytes, the stream breaks off without a word.
        try await StreamingFixture.use { fixture in
            let relay = try HoldingRelay(fixture.url("sh", "-c", "echo first; exit 3"))
            let ended = try await fixture.run(relay.url)
            #expect(ended.output == "first\n")
            #expect(ended.status == .exited(code: 3))
        }
    }

    @Test("input reaches the process, and its end too", arguments: StreamingClient.Transport.allCases)
    func input(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            let ended = try await fixture.run(
                fixture.url("sh", "-c", "wc -c", stdin: true), by: transport,
                input: (0..<64).map { _ in [UInt8](repeating: 65, count: 32 << 10) })
            #expect(ended.output.split(separator: "\n").first.map { $0.filter(\.isNumber) } == "\(64 * 32 << 10)")
            #expect(ended.status == .success)
        }
    }

    @Test("input that is larger than a message is sent in several", arguments: StreamingClient.Transport.allCases)
    func largeInput(_ transport: StreamingClient.Transport) async throws {
        // Checked: sent as one message, three megabytes are more than the server takes, and the stream breaks off.
        try await StreamingFixture.use { fixture in
            let ended = try await fixture.run(
                fixture.url("sh", "-c", "wc -c", stdin: true), by: transport,
                input: [[UInt8](repeating: 65, count: 3_000_000)])
            #expect(ended.output.filter(\.isNumber) == "3000000")
            #expect(ended.status == .success)
        }
    }

    @Test("a flood of output arrives whole", arguments: StreamingClient.Transport.allCases)
    func flood(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            let ended = try await fixture.run(
                fixture.url("sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x"), by: transport)
            #expect(ended.output.utf8.count == 20_000_000)
        }
    }

    @Test("a process that nobody reads is stopped by its pipe") func unread() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("sh", "-c", "head -c 100000000 /dev/zero; echo done >&2")
            let client = try RawClient(url)
            #expect(await client.upgrade(url).hasPrefix("HTTP/1.1 101"))
            // Not one byte is read, so the process can't have written more than the buffers between us hold.
            try await eventually("the process runs") { fixture.runtime.state.withLock { !$0.processes.isEmpty } }
            let before = Self.residentKilobytes()
            for _ in 0..<50 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(fixture.runtime.state.withLock { $0.processes.count } == 1)
            #expect(Self.residentKilobytes() - before < 50_000)
        }
    }

    @Test("a terminal has its size, one output and no end of input") func terminal() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("sh", "-c", "read line; stty size; echo got $line", stdin: true, tty: true)
            let client = try RawClient(url)
            #expect(await client.upgrade(url).contains("v5.channel.k8s.io"))
            await client.send(2, [4] + Array(#"{"Width":132,"Height":43}"#.utf8))
            await client.send(2, [0] + Array("hello\n".utf8))
            let (channels, code) = await client.collect()
            let output = String(decoding: channels[1] ?? [], as: UTF8.self)
            #expect(output.contains("43 132\r\n"))
            #expect(output.contains("got hello\r\n"))
            #expect(code == 1000)
        }
    }

    @Test("the status is Kubernetes' own") func status() async throws {
        try await StreamingFixture.use { fixture in
            let url = try fixture.url("sh", "-c", "exit 3")
            let client = try RawClient(url)
            #expect(await client.upgrade(url, protocols: "v4.channel.k8s.io, other").contains("v4.channel.k8s.io"))
            let (channels, code) = await client.collect()
            let status = try JSONValue.parse(channels[3] ?? [])
            #expect(status["metadata"] == [:])
            #expect(status["status"] == "Failure")
            #expect(status["reason"] == "NonZeroExitCode")
            #expect(status["details"] == ["causes": [["reason": "ExitCode", "message": "3"]]])
            #expect(code == 1000)
        }
    }

    @Test("what can't be started is said in the error channel", arguments: StreamingClient.Transport.allCases)
    func refused(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            let missing = try await fixture.run(fixture.url("/no/such/program"), by: transport)
            #expect(missing.status == .failed(message: "exec /no/such/program: No such file or directory"))
            let nobody = try await fixture.run(fixture.url("true", container: "c2"), by: transport)
            #expect(nobody.status == .failed(message: "no container c2"))
        }
    }

    @Test(
        "a background process that holds the output does not hold the stream",
        arguments: StreamingClient.Transport.allCases)
    func lingering(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            let began = ContinuousClock.now
            let ended = try await fixture.run(fixture.url("sh", "-c", "sleep 30 & echo $!"), by: transport)
            #expect(ended.status == .success)
            #expect(ContinuousClock.now - began < .seconds(20))
            if let process = pid_t(ended.output.split(separator: "\n").first ?? "") { kill(process, SIGKILL) }
        }
    }

    @Test(
        "attach copies both ways and ends when the container closes its output",
        arguments: StreamingClient.Transport.allCases)
    func attach(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            var request = CRIAttachRequest()
            request.containerID = "c1"
            request.stdin = true
            request.stdout = true
            request.tty = true
            let url = try fixture.server.attach(request).url
            async let ended = fixture.run(
                url, by: transport, input: [Array("ping".utf8)], terminal: true,
                sizes: [.init(columns: 80, rows: 24)])
            try await eventually("the container has the streams") {
                fixture.runtime.state.withLock { $0.attached != nil }
            }
            let streams = try #require(fixture.runtime.state.withLock { $0.attached })
            var word = [UInt8](repeating: 0, count: 4)
            #expect(read(try #require(streams.stdin), &word, 4) == 4)
            #expect(word == Array("ping".utf8))
            try await eventually("the size arrives") { fixture.runtime.state.withLock { !$0.sizes.isEmpty } }
            #expect(fixture.runtime.state.withLock { $0.sizes[0] } == (80, 24))
            let output = try #require(streams.stdout)
            #expect(write(output, "pong", 4) == 4)
            close(output)
            let result = try await ended
            #expect(result.output == "pong" && result.status == .success)
            close(try #require(streams.stdin))
        }
    }

    @Test("an attachment ends with its input, and brings the answer", arguments: StreamingClient.Transport.allCases)
    func attachEnds(_ transport: StreamingClient.Transport) async throws {
        try await StreamingFixture.use { fixture in
            fixture.runtime.state.withLock { $0.inputOutlives = true }
            var request = CRIAttachRequest()
            request.containerID = "c1"
            request.stdin = true
            request.stdout = true
            let url = try fixture.server.attach(request).url
            async let ended = fixture.run(url, by: transport, input: [Array("ping".utf8)])
            try await eventually("the container has the streams") {
                fixture.runtime.state.withLock { $0.attached != nil }
            }
            let streams = try #require(fixture.runtime.state.withLock { $0.attached })
            #expect(write(try #require(streams.stdout), "pong", 4) == 4)
            // The container's output stays open: only the input's end can end it.
            let result = try await ended
            #expect(result.output == "pong" && result.status == .success)
            close(try #require(streams.stdout))
            close(try #require(streams.stdin))
        }
    }

    private static func residentKilobytes() -> Int {
        var usage = rusage()
        getrusage(0, &usage)
        return usage.ru_maxrss
    }
}
