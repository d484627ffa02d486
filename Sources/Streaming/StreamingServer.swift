import CRI
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// Serves the streams of Exec, Attach and PortForward over WebSockets and SPDY/3.1 on the loopback device.
///
/// The CRI's calls return a URL with a ticket in it; whoever opens that URL first, and in time, gets the stream.
///
/// The listener is made before the runtime that it serves exists, because the runtime hands out its URLs:
///
/// ```swift
/// let streaming = try await StreamingServer.bound(logger: logger)
/// let engine = Engine(…, execURL: streaming.exec, …)
/// try await streaming.run(serving: engine)
/// ```
public final class StreamingServer: Sendable {
    /// Where it listens and what it bears.
    public struct Configuration: Sendable {
        /// The address to listen on; leave it on the loopback device: the ticket is the only guard.
        public var host = "127.0.0.1"
        /// The port; 0 lets the kernel choose.
        public var port = 0
        /// How long a URL may be opened.
        public var ticketLifetime = Duration.seconds(60)
        /// How many URLs may be unused at a time.
        public var maximumTickets = 1000
        /// How many streams may be open at a time.
        public var maximumConnections = 256
        /// How many connections may be open without having shown a ticket.
        public var maximumStrangers = 256
        /// How long a stream may be silent in both directions; four hours, as with kubelet.
        public var idleLimit = Duration.seconds(4 * 3600)
        /// How long a connection may take to ask for its stream.
        public var requestLimit = Duration.seconds(10)
        /// How long a client of SPDY may take to open the streams of a command.
        public var streamLimit = Duration.seconds(30)
        /// The largest message from a client, in bytes.
        public var maximumMessage = 1 << 20
        /// With it, streams are https.
        public var tls: StreamingTLS?

        public init() {}
    }

    /// `http://`, or `https://`, and the address that it listens on.
    public let baseURL: String

    private let configuration: Configuration
    private let tickets: StreamTickets
    private let listener: NIOAsyncChannel<EventLoopFuture<StreamConnection>, Never>
    private let strangers: Strangers
    private let connections = Mutex(0)
    private let logger: Logger

    private init(
        configuration: Configuration, tickets: StreamTickets,
        listener: NIOAsyncChannel<EventLoopFuture<StreamConnection>, Never>, strangers: Strangers, baseURL: String,
        logger: Logger
    ) {
        self.configuration = configuration
        self.tickets = tickets
        self.listener = listener
        self.strangers = strangers
        self.baseURL = baseURL
        self.logger = logger
    }

    /// Listens; connections wait until ``run(serving:)`` runs.
    ///
    /// - Throws: `.unavailable` with the address and the errno.
    public static func bound(
        _ configuration: Configuration = Configuration(), logger: Logger
    ) async throws(CRIError) -> StreamingServer {
        let tickets = StreamTickets(lifetime: configuration.ticketLifetime, limit: configuration.maximumTickets)
        let strangers = Strangers(limit: configuration.maximumStrangers)
        let tls = try configuration.tls?.serverContext()
        do {
            let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(
                    host: configuration.host, port: configuration.port,
                    serverBackPressureStrategy: .init(lowWatermark: 2, highWatermark: 16)
                ) { channel in
                    StreamConnection.configure(channel, configuration, tls, tickets, strangers)
                }
            let port = listener.channel.localAddress?.port ?? configuration.port
            let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
            return StreamingServer(
                configuration: configuration, tickets: tickets, listener: listener, strangers: strangers,
                baseURL: "\(tls == nil ? "http" : "https")://\(host):\(port)", logger: logger)
        } catch {
            throw CRIError(
                .unavailable,
                "the streaming server can't listen on \(configuration.host):\(configuration.port): \(error)")
        }
    }

    /// The answer to the CRI's Exec.
    public func exec(_ request: CRIExecRequest) throws(CRIError) -> CRIExecResponse {
        var response = CRIExecResponse()
        response.url = try issue(.exec(request))
        return response
    }

    /// The answer to the CRI's Attach. Set `tty` to what the container has before calling.
    public func attach(_ request: CRIAttachRequest) throws(CRIError) -> CRIAttachResponse {
        var response = CRIAttachResponse()
        response.url = try issue(.attach(request))
        return response
    }

    /// The answer to the CRI's PortForward.
    public func portForward(_ request: CRIPortForwardRequest) throws(CRIError) -> CRIPortForwardResponse {
        var response = CRIPortForwardResponse()
        response.url = try issue(.portForward(request))
        return response
    }

    private func issue(_ request: StreamRequest) throws(CRIError) -> String {
        try request.validate()
        return "\(baseURL)/\(request.verb)/\(try tickets.issue(request))"
    }

    /// Serves streams until the task is cancelled; streams under way are cut then.
    ///
    /// The listening socket is closed before anything is cancelled, and what it had accepted is served first: a connection
    /// that nobody takes takes the process down (swift-nio's async writers trap when nobody finishes them).
    public func run(serving runtime: any StreamingRuntime) async throws {
        let accepting = Task { try await accept(serving: runtime) }
        try await withTaskCancellationHandler {
            try await accepting.value
        } onCancel: {
            listener.channel.close(promise: nil)
            // One that says nothing would be waited for.
            strangers.close()
        }
    }

    private func accept(serving runtime: any StreamingRuntime) async throws {
        try await listener.executeThenClose { inbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in inbound {
                    group.addTask { await self.serve(connection, runtime) }
                }
                group.cancelAll()
            }
        }
    }

    /// Counts a stream from the ticket that it was opened with: who has none can't keep others out.
    private func admit() -> Bool {
        connections.withLock { count in
            guard count < configuration.maximumConnections else { return false }
            count += 1
            return true
        }
    }

    private func serve(_ connection: EventLoopFuture<StreamConnection>, _ runtime: any StreamingRuntime) async {
        do {
            switch try await connection.get() {
            case .refused(let channel, let head):
                try await channel.executeThenClose { inbound, outbound in
                    try await StreamRefusal.answer(head, inbound, outbound)
                }
            case .webSocket(let channel, let admitted, let version):
                let isWelcome = admit()
                defer { if isWelcome { connections.withLock { $0 -= 1 } } }
                try await channel.executeThenClose { inbound, outbound in
                    let writer = FrameWriter(outbound: outbound, isBase64: version.isBase64)
                    guard isWelcome else { return await writer.close(.init(codeNumber: 1013)) }
                    do {
                        try await serve(admitted, version, inbound, writer, runtime)
                    } catch let violation as ProtocolViolation {
                        await writer.close(violation.code)
                    }
                }
            case .spdy(let channel, let admitted, let version):
                let isWelcome = admit()
                defer { if isWelcome { connections.withLock { $0 -= 1 } } }
                try await channel.executeThenClose { inbound, outbound in
                    let writer = SPDYWriter(outbound: outbound)
                    guard isWelcome else { return await writer.close(.ok) }
                    do {
                        try await serve(admitted, version, inbound, writer, runtime)
                        await writer.close(.ok)
                    } catch let violation as SPDYViolation {
                        logger.debug("a client broke the protocol", metadata: ["error": "\(violation)"])
                        await writer.close(.protocolError)
                    }
                }
            }
        } catch {
            // A client that went away, or one that spoke no HTTP: nobody is left to be told.
            logger.debug("a streaming connection ended", metadata: ["error": "\(error)"])
        }
    }

    private func serve(
        _ admitted: StreamAdmission.Admitted, _ version: RemoteCommand.Version,
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter, _ runtime: any StreamingRuntime
    ) async throws {
        switch admitted.request {
        case .exec, .attach:
            try await CommandSession(request: admitted.request, runtime: runtime, logger: logger)
                .serve(WebSocketCommandClient(inbound: inbound, writer: writer, version: version))
        case .portForward(let forward):
            try await PortForwardSession(
                sandbox: forward.podSandboxID, ports: admitted.ports, runtime: runtime, logger: logger
            ).serve(inbound, writer)
        }
    }

    private func serve(
        _ admitted: StreamAdmission.Admitted, _ version: RemoteCommand.StreamVersion,
        _ inbound: NIOAsyncChannelInboundStream<SPDYFrame>, _ writer: SPDYWriter, _ runtime: any StreamingRuntime
    ) async throws {
        switch admitted.request {
        case .exec, .attach:
            try await CommandSession(request: admitted.request, runtime: runtime, logger: logger)
                .serve(
                    SPDYCommandClient(
                        inbound, writer, admitted.request, version: version, limit: configuration.streamLimit))
        case .portForward(let forward):
            try await SPDYForwardSession(sandbox: forward.podSandboxID, runtime: runtime, logger: logger)
                .serve(inbound, writer)
        }
    }
}
