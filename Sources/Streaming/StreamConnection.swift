import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// What became of an accepted connection once its request was read.
enum StreamConnection: Sendable {
    typealias WebSocket = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    typealias HTTP = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// A WebSocket whose ticket was good.
    case webSocket(WebSocket, StreamAdmission.Admitted, RemoteCommand.Version)
    /// SPDY after an upgrade, or inside a WebSocket.
    case spdy(SPDYChannel, StreamAdmission.Admitted, RemoteCommand.StreamVersion)
    /// Anything else; it gets an answer that says why.
    ///
    /// The upgrade handler swallows the heads of requests whose upgrade it refused, so these come along.
    case refused(HTTP, HTTPRequestHead?)

    /// Sets up a new connection: TLS if there is to be any, then HTTP, then a stream when the request has a good ticket.
    static func configure(
        _ channel: any Channel, _ configuration: StreamingServer.Configuration, _ tls: NIOSSLContext?,
        _ tickets: StreamTickets, _ strangers: Strangers
    ) -> EventLoopFuture<EventLoopFuture<StreamConnection>> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(LingeringClose())
            if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
            // Now that it can be closed with a last word.
            let number = strangers.came(channel)
            let connection = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
                configuration: .init(
                    upgradeConfiguration: upgrade(
                        configuration, StreamAdmission(tickets: tickets) { strangers.known(number) })))
            closeUnlessDecided(channel, connection, within: configuration.requestLimit)
            return connection
        }
    }

    private static func upgrade(
        _ configuration: StreamingServer.Configuration, _ admission: StreamAdmission
    ) -> NIOTypedHTTPServerUpgradeConfiguration<StreamConnection> {
        let webSocket = NIOTypedWebSocketServerUpgrader<StreamConnection>(
            maxFrameSize: configuration.maximumMessage,
            shouldUpgrade: { channel, head in channel.eventLoop.makeSucceededFuture(admission.webSocket(head)) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture { try openWebSocket(channel, admission, configuration) }
            })
        return NIOTypedHTTPServerUpgradeConfiguration(
            upgraders: [webSocket, SPDYUpgrader(admission: admission, configuration: configuration)],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeCompletedFuture {
                    .refused(try HTTP(wrappingChannelSynchronously: channel), admission.head)
                }
            })
    }

    private static func openWebSocket(
        _ channel: any Channel, _ admission: StreamAdmission, _ configuration: StreamingServer.Configuration
    ) throws -> StreamConnection {
        guard let admitted = admission.taken else { throw ProtocolViolation(code: .unexpectedServerError) }
        try closeWhenIdle(channel, configuration)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(MaskEnforcer())
        switch admitted.version {
        case .tunnel:
            try pipeline.addHandler(WebSocketTunnel())
            return .spdy(try SPDYChannel.wrap(channel), admitted, .v1)
        case .channels(let version):
            try pipeline.addHandler(
                NIOWebSocketFrameAggregator(
                    minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 1024,
                    maxAccumulatedFrameSize: configuration.maximumMessage))
            return .webSocket(try WebSocket(wrappingChannelSynchronously: channel), admitted, version)
        case .streams: throw ProtocolViolation(code: .unexpectedServerError)
        }
    }

    fileprivate static func openSPDY(
        _ channel: any Channel, _ admission: StreamAdmission, _ configuration: StreamingServer.Configuration
    ) throws -> StreamConnection {
        guard let admitted = admission.taken, case .streams(let version) = admitted.version else {
            throw SPDYViolation("upgraded without a ticket")
        }
        try closeWhenIdle(channel, configuration)
        return .spdy(try SPDYChannel.wrap(channel), admitted, version)
    }

    private static func closeWhenIdle(
        _ channel: any Channel, _ configuration: StreamingServer.Configuration
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(IdleStateHandler(allTimeout: TimeAmount(configuration.idleLimit)))
        try pipeline.addHandler(IdleCloser())
    }

    /// A connection that doesn't say what it wants is not kept.
    private static func closeUnlessDecided(
        _ channel: any Channel, _ connection: EventLoopFuture<StreamConnection>, within limit: Duration
    ) {
        let timer = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { channel.close(promise: nil) }
        connection.whenComplete { _ in timer.cancel() }
    }
}

/// Closes a connection on which nothing has moved for too long.
private final class IdleCloser: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}

/// Upgrades to SPDY/3.1.
private struct SPDYUpgrader: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = StreamConnection

    let supportedProtocol = "SPDY/3.1"
    let requiredUpgradeHeaders: [String] = []
    let admission: StreamAdmission
    let configuration: StreamingServer.Configuration

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        guard let headers = admission.spdy(upgradeRequest) else {
            return channel.eventLoop.makeFailedFuture(SPDYViolation("refused"))
        }
        var all = initialResponseHeaders
        all.add(contentsOf: headers)
        return channel.eventLoop.makeSucceededFuture(all)
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<StreamConnection> {
        channel.eventLoop.makeCompletedFuture { try StreamConnection.openSPDY(channel, admission, configuration) }
    }
}

/// Ends connections of clients that don't mask their frames, as RFC 6455 (5.1) demands.
private final class MaskEnforcer: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard unwrapInboundIn(data).maskKey == nil else { return context.fireChannelRead(data) }
        var reason = context.channel.allocator.buffer(capacity: 2)
        reason.write(webSocketErrorCode: .protocolError)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: reason)))
            .whenComplete { _ in channel.close(promise: nil) }
    }
}
