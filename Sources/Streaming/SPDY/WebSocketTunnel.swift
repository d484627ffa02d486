import NIOCore
import NIOWebSocket

/// Carries another protocol's bytes in the binary messages of a WebSocket: how a port-forward's SPDY goes through proxies
/// that know only WebSockets (KEP 4006, `SPDY/3.1+portforward.k8s.io`).
final class WebSocketTunnel: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    /// What stands before the tunnelled protocol's name in the subprotocol.
    static let prefix = "SPDY/3.1+"

    /// Clients mask what they send.
    private let masks: Bool

    init(masks: Bool = false) { self.masks = masks }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary, .continuation: context.fireChannelRead(wrapInboundOut(frame.unmaskedData))
        case .ping: write(.pong, frame.unmaskedData, context, promise: nil, flush: true)
        case .connectionClose:
            write(.connectionClose, frame.unmaskedData, context, promise: nil, flush: true)
            context.close(promise: nil)
        case .pong: break
        default: context.fireErrorCaught(ProtocolViolation(code: .unacceptableData))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        write(.binary, unwrapOutboundIn(data), context, promise: promise, flush: false)
    }

    private func write(
        _ opcode: WebSocketOpcode, _ bytes: ByteBuffer, _ context: ChannelHandlerContext,
        promise: EventLoopPromise<Void>?, flush: Bool
    ) {
        let mask = masks ? WebSocketMaskingKey.random() : nil
        context.write(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, maskKey: mask, data: bytes)), promise: promise)
        if flush { context.flush() }
    }
}
