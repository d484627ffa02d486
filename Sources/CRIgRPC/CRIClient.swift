import CRI
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import Glibc
import SwiftProtobuf

/// A CRI runtime at the other end of a unix socket: ours, containerd or CRI-O.
///
/// It reconnects by itself when the runtime was restarted; calls made meanwhile fail with `.unavailable`.
public final class CRIClient: Sendable {
    /// Where the runtime listens.
    public let endpoint: UnixEndpoint

    /// The time that a call may take.
    public let timeout: Duration

    private let client: GRPCClient<HTTP2ClientTransport.Posix>
    private let connections: Task<Void, Never>

    /// Finds the runtime at `endpoint`.
    ///
    /// - Parameter timeout: the time that each call may take; kubelet's default is two minutes.
    /// - Throws: `.unavailable` with path and reason when nobody listens, `.invalidArgument` for a malformed endpoint.
    public init(endpoint text: String, timeout: Duration = .seconds(120)) throws(CRIError) {
        endpoint = try UnixEndpoint(text)
        self.timeout = timeout
        if let code = endpoint.probe() { throw Self.unreachable(endpoint, code) }
        do {
            // Servers written in Go refuse a path as the authority, so it is the one that they send themselves.
            let transport = try HTTP2ClientTransport.Posix(
                target: .unixDomainSocket(path: endpoint.path, authority: "localhost"), transportSecurity: .plaintext,
                config: .defaults { config in
                    config.http2.authority = "localhost"
                    config.connection.flushCoalescing = nil
                    config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(
                                PingAnswerer(preface: false), position: .first)
                        }
                    }
                    config.backoff = .init(initial: .milliseconds(100), max: .seconds(3), multiplier: 1.6, jitter: 0.2)
                })
            client = GRPCClient(transport: transport)
        } catch {
            throw CRIError(.unavailable, "cannot reach the CRI runtime at \(endpoint): \(error)")
        }
        connections = Task { [client] in
            // Ends by ``close()``, and has nothing to say then.
            try? await client.runConnections()
        }
    }

    deinit { client.beginGracefulShutdown() }

    /// Lets the calls under way finish, and closes the connection.
    public func close() async {
        client.beginGracefulShutdown()
        await connections.value
    }

    static func unreachable(_ endpoint: UnixEndpoint, _ code: Int32) -> CRIError {
        CRIError(.unavailable, "cannot reach the CRI runtime at \(endpoint): \(String(cString: strerror(code)))")
    }

    private func options(_ limit: Duration?) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = limit
        options.maxRequestMessageBytes = CRIServer.largestMessage
        options.maxResponseMessageBytes = CRIServer.largestMessage
        return options
    }

    func unary<Request: Message, Answer: Message>(
        _ method: MethodDescriptor, _ request: Request, within limit: Duration?
    ) async throws(CRIError) -> Answer {
        let begin = ContinuousClock.now
        do {
            return try await client.unary(
                request: ClientRequest(message: request), descriptor: method,
                serializer: ProtobufSerializer<Request>(), deserializer: ProtobufDeserializer<Answer>(),
                options: options(limit), onResponse: { try $0.message })
        } catch {
            throw explain(error, method, limit, after: ContinuousClock.now - begin)
        }
    }

    /// A stream that the consumer paces: the other side sends on only as answers are taken out.
    func stream<Request: Message, Answer: Message>(
        _ method: MethodDescriptor, _ request: Request
    ) async -> AsyncThrowingStream<Answer, any Error> {
        let (answers, input) = AsyncThrowingStream.makeStream(of: Answer.self)
        let (credits, credit) = AsyncStream.makeStream(of: Void.self)
        let task = Task { [client, options = options(nil)] in
            do {
                try await client.serverStreaming(
                    request: ClientRequest(message: request), descriptor: method,
                    serializer: ProtobufSerializer<Request>(), deserializer: ProtobufDeserializer<Answer>(),
                    options: options
                ) { response in
                    var credits = credits.makeAsyncIterator()
                    for try await answer in response.messages {
                        guard await credits.next() != nil else { return }
                        input.yield(answer)
                    }
                }
                input.finish()
            } catch {
                input.finish(throwing: self.explain(error, method, nil, after: .zero))
            }
        }
        let lifetime = StreamLifetime {
            credit.finish()
            task.cancel()
        }
        return AsyncThrowingStream {
            credit.yield()
            var answers = answers.makeAsyncIterator()
            let answer = try await answers.next()
            lifetime.touch()
            return answer
        }
    }

    /// - Parameter time: how long the call took: the runtime too may say that a deadline has passed, one of its own.
    private func explain(
        _ error: any Error, _ method: MethodDescriptor, _ limit: Duration?, after time: Duration
    ) -> CRIError {
        var error = CRIError(wrapping: error)
        switch error.code {
        case .unavailable:
            if let code = endpoint.probe() { error = Self.unreachable(endpoint, code) }
        case .deadlineExceeded:
            if let limit, time >= limit {
                error.message = "the CRI runtime at \(endpoint) did not answer \(method.method) within \(limit)"
            }
        default: break
        }
        return error
    }
}

/// Ends a call when nobody holds its stream any more.
private final class StreamLifetime: Sendable {
    private let end: @Sendable () -> Void

    init(end: @escaping @Sendable () -> Void) { self.end = end }

    /// Keeps this value alive until here.
    func touch() {}

    deinit { end() }
}
