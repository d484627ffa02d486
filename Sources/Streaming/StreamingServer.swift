import CRI
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// Serves the streams of Exec, Attach and PortForward over WebSockets on the loopback device.
///
/// The CRI's calls return a URL with a ticket in it; whoever opens that URL first, and in time, gets the stream. SPDY/3.1,
/// which older clients try, is refused by name.
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
        /// How long a stream may be silent in both directions; four hours, as with kubelet.
        public var idleLimit = Duration.seconds(4 * 3600)
        /// How long a connection may take to ask for its stream.
        public var requestLimit = Duration.seconds(10)
        /// The largest message from a client, in bytes.
        public var maximumMessage = 1 << 20

        public init() {}
    }

    /// `http://` and the address that it listens on.
    public let baseURL: String

    private let configuration: Configuration
    private let tickets: StreamTickets
    private let listener: NIOAsyncChannel<EventLoopFuture<StreamConnection>, Never>
    private let connections = Mutex(0)
    private let logger: Logger

    private init(
        configuration: Configuration, tickets: StreamTickets,
        listener: NIOAsyncChannel<EventLoopFuture<StreamConnection>, Never>, baseURL: String, logger: Logger
    ) {
        self.configuration = configuration
        self.tickets = tickets
        self.listener = listener
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
        do {
            let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(
                    host: configuration.host, port: configuration.port,
                    serverBackPressureStrategy: .init(lowWatermark: 2, highWatermark: 16)
                ) { channel in
                    StreamConnection.configure(channel, configuration, tickets)
                }
            let port = listener.channel.localAddress?.port ?? configuration.port
            let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
            return StreamingServer(
                configuration: configuration, tickets: tickets, listener: listener, baseURL: "http://\(host):\(port)",
                logger: logger)
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
            case .opened(let channel, let request, let ports):
                let admitted = admit()
                defer { if admitted { connections.withLock { $0 -= 1 } } }
                try await channel.executeThenClose { inbound, outbound in
                    let writer = FrameWriter(outbound: outbound)
                    guard admitted else { return await writer.close(.init(codeNumber: 1013)) }
                    do {
                        try await session(request, ports, runtime)(inbound, writer)
                    } catch let violation as ProtocolViolation {
                        await writer.close(violation.code)
                    }
                }
            }
        } catch {
            // A client that went away, or one that spoke no HTTP: nobody is left to be told.
            logger.debug("a streaming connection ended", metadata: ["error": "\(error)"])
        }
    }

    private func session(
        _ request: StreamRequest, _ ports: [UInt16], _ runtime: any StreamingRuntime
    ) -> (NIOAsyncChannelInboundStream<WebSocketFrame>, FrameWriter) async throws -> Void {
        switch request {
        case .exec, .attach: CommandSession(request: request, runtime: runtime, logger: logger).serve
        case .portForward(let forward):
            PortForwardSession(sandbox: forward.podSandboxID, ports: ports, runtime: runtime, logger: logger).serve
        }
    }
}
