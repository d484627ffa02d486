import NIOCore
import NIOHTTP1
import NIOWebSocket
import Synchronization

/// What became of an accepted connection once its request was read.
enum StreamConnection: Sendable {
    typealias WebSocket = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    typealias HTTP = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// A WebSocket whose ticket was good.
    case opened(WebSocket, StreamRequest, ports: [UInt16])
    /// Anything else; it gets an answer that says why.
    ///
    /// The upgrade handler swallows the heads of requests whose upgrade it refused, so these come along.
    case refused(HTTP, HTTPRequestHead?)

    /// Sets up a new connection: HTTP first, a WebSocket when the request has a good ticket.
    static func configure(
        _ channel: any Channel, _ configuration: StreamingServer.Configuration, _ tickets: StreamTickets
    ) -> EventLoopFuture<EventLoopFuture<StreamConnection>> {
        let admission = StreamAdmission(tickets: tickets)
        let upgrader = NIOTypedWebSocketServerUpgrader<StreamConnection>(
            maxFrameSize: configuration.maximumMessage,
            shouldUpgrade: { channel, head in channel.eventLoop.makeSucceededFuture(admission.decide(head)) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture { try open(channel, admission, configuration) }
            })
        let upgrade = NIOTypedHTTPServerUpgradeConfiguration(
            upgraders: [upgrader, RefusedUpgrader(supportedProtocol: "spdy/3.1", admission: admission)],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeCompletedFuture {
                    .refused(try HTTP(wrappingChannelSynchronously: channel), admission.head)
                }
            })
        return channel.eventLoop.makeCompletedFuture {
            let connection = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
                configuration: .init(upgradeConfiguration: upgrade))
            closeUnlessDecided(channel, connection, within: configuration.requestLimit)
            return connection
        }
    }

    private static func open(
        _ channel: any Channel, _ admission: StreamAdmission, _ configuration: StreamingServer.Configuration
    ) throws -> StreamConnection {
        guard let (request, ports) = admission.taken else { throw ProtocolViolation(code: .unexpectedServerError) }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(IdleStateHandler(allTimeout: TimeAmount(configuration.idleLimit)))
        try pipeline.addHandler(IdleCloser())
        try pipeline.addHandler(MaskEnforcer())
        try pipeline.addHandler(
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 1024,
                maxAccumulatedFrameSize: configuration.maximumMessage))
        return .opened(try WebSocket(wrappingChannelSynchronously: channel), request, ports: ports)
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
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}

/// Refuses an upgrade that is known and not done, and notes who asked.
private struct RefusedUpgrader: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = StreamConnection

    let supportedProtocol: String
    let requiredUpgradeHeaders: [String] = []
    let admission: StreamAdmission

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        admission.record(upgradeRequest)
        return channel.eventLoop.makeFailedFuture(ProtocolViolation(code: .unacceptableData))
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<StreamConnection> {
        channel.eventLoop.makeFailedFuture(ProtocolViolation(code: .unacceptableData))
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

/// One connection's way from a request to its stream.
private final class StreamAdmission: Sendable {
    private let tickets: StreamTickets
    private let state = Mutex<(StreamRequest, [UInt16])?>(nil)
    private let request = Mutex<HTTPRequestHead?>(nil)

    init(tickets: StreamTickets) { self.tickets = tickets }

    /// What the ticket was for, once it was taken.
    var taken: (StreamRequest, [UInt16])? { state.withLock { $0 } }

    /// The request whose upgrade was looked at.
    var head: HTTPRequestHead? { request.withLock { $0 } }

    func record(_ head: HTTPRequestHead) { request.withLock { $0 = $0 ?? head } }

    /// Takes the ticket of a request; nil refuses it. A request that could never be served leaves its ticket alone.
    func decide(_ head: HTTPRequestHead) -> HTTPHeaders? {
        record(head)
        guard let target = StreamTarget(head),
            let version = RemoteCommand.choose(
                from: head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init)),
            target.verb != "portforward" || target.ports != nil,
            let request = tickets.redeem(target.token, verb: target.verb)
        else { return nil }
        state.withLock { $0 = (request, target.ports ?? []) }
        return ["Sec-WebSocket-Protocol": version.rawValue]
    }
}
