import CRI
import Logging
import NIOCore
import Streaming
import Synchronization
import Testing

/// A streaming server over ``LocalRuntime``.
struct StreamingFixture: Sendable {
    let runtime = LocalRuntime()
    let server: StreamingServer

    static func use(
        _ configure: (inout StreamingServer.Configuration) -> Void = { _ in },
        _ body: (StreamingFixture) async throws -> Void
    ) async throws {
        var configuration = StreamingServer.Configuration()
        configure(&configuration)
        let server = try await StreamingServer.bound(configuration, logger: Logger(label: "test"))
        let fixture = StreamingFixture(server: server)
        let serving = Task { try await server.run(serving: fixture.runtime) }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(fixture)) } catch { outcome = .failure(error) }
        serving.cancel()
        _ = await serving.result
        try outcome.get()
    }

    func url(
        _ command: String..., stdin: Bool = false, tty: Bool = false, container: String = "c1"
    ) throws -> String {
        var request = CRIExecRequest()
        request.containerID = container
        request.cmd = command
        request.stdin = stdin
        request.stdout = true
        request.stderr = !tty
        request.tty = tty
        return try server.exec(request).url
    }

    struct Ended: Sendable {
        var output = ""
        var errors = ""
        var status = RemoteStatus.success
    }

    /// Joins a stream with our own client.
    func run(
        _ url: String, by transport: StreamingClient.Transport = .websocket, input: [[UInt8]]? = nil,
        terminal: Bool = false, sizes: [RemoteCommand.TerminalSize] = [], tls: StreamingClientTLS = StreamingClientTLS()
    ) async throws -> Ended {
        let heard = Mutex<([UInt8], [UInt8])>(([], []))
        let (stream, size) = AsyncStream.makeStream(of: RemoteCommand.TerminalSize.self)
        for one in sizes { size.yield(one) }
        size.finish()
        let pieces = input.map { pieces in
            AsyncStream<[UInt8]> { continuation in
                for piece in pieces { continuation.yield(piece) }
                continuation.finish()
            }
        }
        var ended = Ended()
        let client = try StreamingClient(url: url, transport: transport, tls: tls)
        ended.status = try await client.run(input: pieces, terminal: terminal, sizes: stream) { channel, bytes in
            heard.withLock { if channel == .stderr { $0.1 += bytes } else { $0.0 += bytes } }
        }
        let (out, err) = heard.withLock { $0 }
        ended.output = String(decoding: out, as: UTF8.self)
        ended.errors = String(decoding: err, as: UTF8.self)
        return ended
    }
}
