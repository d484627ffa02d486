import CRI
import CRIgRPC
import Glibc
import Logging
import Synchronization
import TestKit
import Testing

@Suite("The CRI over a unix socket", .serialized)
struct SocketTests {
    @Test("every call reaches the runtime and its answer comes back", arguments: EveryCall.all)
    func everyCall(_ call: EveryCall) async throws {
        try await Fixture.use { fixture in
            let client = try CRIClient(endpoint: fixture.endpoint, timeout: .seconds(30))
            try await call.call(client)
            #expect(fixture.runtime.calls == [call.name])
            fixture.runtime.fail(call.name, CRIError(.notFound, "no such thing: \(call.name) ✗"))
            await #expect(throws: CRIError(.notFound, "no such thing: \(call.name) ✗")) { try await call.call(client) }
            await client.close()
        }
    }

    @Test("there are as many calls as the protocol has") func numberOfCalls() {
        #expect(EveryCall.all.count == 41)
        #expect(Set(EveryCall.all.map(\.name)).count == 41)
    }

    @Test("fields survive the way there and back")
    func fields() async throws {
        try await Fixture.use { fixture in
            var answer = CRIVersionResponse()
            answer.runtimeName = "kubesim"
            answer.version = "0.1.0"
            fixture.runtime.answer("version", answer)
            let client = try CRIClient(endpoint: fixture.endpoint)
            var request = CRIVersionRequest()
            request.version = "v1"
            #expect(try await client.version(request) == answer)
            #expect(fixture.runtime.request("version", as: CRIVersionRequest.self) == request)
            await client.close()
        }
    }

    @Test("a message of more than 4 MiB passes, one of more than 16 MiB does not")
    func sizes() async throws {
        try await Fixture.use { fixture in
            let client = try CRIClient(endpoint: fixture.endpoint)
            var request = CRIVersionRequest()
            request.version = String(repeating: "x", count: 5 << 20)
            _ = try await client.version(request)
            request.version = String(repeating: "x", count: 17 << 20)
            let asked = request
            await #expect(throws: CRIError.self) { try await client.version(asked) }
            #expect(fixture.runtime.calls.count == 1)
            await client.close()
        }
    }

    @Test("a stream is paced by its reader and ends the call when nobody reads on")
    func streams() async throws {
        try await Fixture.use { fixture in
            let events = (0..<500).map { index in
                var event = CRIContainerEventResponse()
                event.containerID = "c\(index)"
                return event
            }
            fixture.runtime.state.withLock { $0.streams["getContainerEvents"] = events }
            let client = try CRIClient(endpoint: fixture.endpoint)
            var seen: [String] = []
            for try await event in try await client.getContainerEvents(CRIGetEventsRequest()) {
                seen.append(event.containerID)
            }
            #expect(seen == (0..<500).map { "c\($0)" })
            await client.close()
        }
    }

    @Test("a call that its client gives up, or whose deadline passes, is cancelled in the runtime")
    func cancellation() async throws {
        // Checked: without gRPC's own handle of a cancellation the call goes on in the runtime.
        try await Fixture.use { fixture in
            fixture.runtime.state.withLock { $0.hanging = ["runPodSandbox"] }
            let client = try CRIClient(endpoint: fixture.endpoint)
            let call = Task { try await client.runPodSandbox(CRIRunPodSandboxRequest()) }
            try await eventually("the call has arrived") { fixture.runtime.calls.count == 1 }
            call.cancel()
            try await eventually("it is cancelled") { fixture.runtime.state.withLock { $0.ended.count } == 1 }
            await #expect(throws: CRIError.self) { try await call.value }

            let hurried = try CRIClient(endpoint: fixture.endpoint, timeout: .milliseconds(100))
            let late = await #expect(throws: CRIError.self) {
                try await hurried.runPodSandbox(CRIRunPodSandboxRequest())
            }
            #expect(late?.code == .deadlineExceeded)
            try await eventually("it is cancelled") { fixture.runtime.state.withLock { $0.ended.count } == 2 }
            for client in [client, hurried] { await client.close() }
        }
    }

    @Test("an idle stream ends in the runtime when its client goes away")
    func idleStream() async throws {
        // Checked: without gRPC's own handle of a cancellation it is never written to, and so never ends.
        try await Fixture.use { fixture in
            let (gate, never) = AsyncStream.makeStream(of: (any Sendable).self)
            defer { never.finish() }
            fixture.runtime.state.withLock { $0.gates["getContainerEvents"] = gate }
            let client = try CRIClient(endpoint: fixture.endpoint)
            let reading = Task {
                for try await _ in try await client.getContainerEvents(CRIGetEventsRequest()) {}
            }
            try await eventually("the call has arrived") { fixture.runtime.calls.count == 1 }
            reading.cancel()
            try await eventually("the stream has ended") {
                fixture.runtime.state.withLock { $0.ended } == ["getContainerEvents"]
            }
            _ = await reading.result
            await client.close()
        }
    }

    @Test("a client that measures the connection with PINGs keeps it")
    func pings() async throws {
        // Checked: answered by swift-nio-http2 alone, they end the connection.
        try await Fixture.use { fixture in
            let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(number) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: fixture.scratch.file("cri.sock").utf8) }
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(connected == 0)
            var bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
            for _ in 0..<1000 { bytes += [0, 0, 8, 6, 0, 0, 0, 0, 0] + [2, 4, 16, 16, 9, 14, 7, 7] }
            try #require(write(number, bytes, bytes.count) == bytes.count)
            let answer: [UInt8] = [0, 0, 8, 6, 1, 0, 0, 0, 0, 2, 4, 16, 16, 9, 14, 7, 7]
            var heard: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65536)
            try await eventually("a thousand answers come") {
                var look = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
                guard poll(&look, 1, 0) > 0 else { return false }
                let count = read(number, &piece, piece.count)
                try #require(count > 0, "the connection was closed after \(heard.count) bytes")
                heard += piece[..<count]
                return heard.count >= 1000 * answer.count
                    && heard.suffix(answer.count).elementsEqual(answer)
            }
        }
    }

    @Test("the socket is its owner's alone") func mode() async throws {
        try await Fixture.use { fixture in
            var status = stat()
            #expect(stat(fixture.scratch.file("cri.sock"), &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o600)
        }
    }

    @Test("a socket that is in use is left alone, one that nobody serves is replaced, a file is neither")
    func stale() async throws {
        try await Fixture.use { fixture in
            let endpoint = try UnixEndpoint(fixture.endpoint)
            #expect(throws: CRIError.self) { _ = try Self.server(endpoint) }
            let client = try CRIClient(endpoint: fixture.endpoint)
            _ = try await client.version(CRIVersionRequest())
            await client.close()
        }
        try await Scratch.use { scratch in
            let path = scratch.file("cri.sock")
            let endpoint = try UnixEndpoint("unix://\(path)")
            let old = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(old, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            close(old)
            let server = try Self.server(endpoint)
            let serving = Task { try await server.run() }
            let client = try CRIClient(endpoint: "unix://\(path)")
            _ = try await client.version(CRIVersionRequest())
            await client.close()
            serving.cancel()
            _ = await serving.result
            #expect(access(path, F_OK) != 0)

            try scratch.write("cri.sock", "precious")
            let failure = #expect(throws: CRIError.self) { _ = try Self.server(endpoint) }
            #expect(failure?.message.contains("something that isn't a socket") == true)
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test("what can't be reached is said in one line") func unreachable() {
        let failure = #expect(throws: CRIError.self) { _ = try CRIClient(endpoint: "unix:///nowhere/x.sock") }
        #expect(
            failure
                == CRIError(
                    .unavailable, "cannot reach the CRI runtime at unix:///nowhere/x.sock: No such file or directory"))
        let long = "unix:///" + String(repeating: "x", count: 120)
        #expect(throws: CRIError.self) { _ = try UnixEndpoint(long) }
        #expect(throws: CRIError.self) { _ = try UnixEndpoint("tcp://127.0.0.1:1") }
        #expect(throws: CRIError.self) { _ = try UnixEndpoint("unix://relative") }
        #expect((try? UnixEndpoint("/run/x.sock"))?.description == "unix:///run/x.sock")
    }

    private static func server(_ endpoint: UnixEndpoint) throws -> CRIServer {
        let runtime = RecordingRuntime()
        return try CRIServer(endpoint: endpoint, runtime: runtime, images: runtime, logger: Logger(label: "test"))
    }
}
