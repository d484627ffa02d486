import NIOCore

/// Answers HTTP/2 PINGs (RFC 9113, 6.7) before the HTTP/2 handler counts them.
///
/// grpc-go, which kubelets and containerd speak, measures a connection with a PING for nearly each DATA frame that it
/// reads; swift-nio-http2 closes a connection after 200 of them in 30 s, with every call that is under way on it. Our peers
/// are root on the other end of a private socket. One that doesn't read its answers still meets that limit.
final class PingAnswerer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let headerLength = 9
    private static let ping: UInt8 = 6
    private static let acknowledged: UInt8 = 1

    /// Bytes that go by before the next frame's header.
    private var passing: Int
    private var waiting = ByteBuffer()

    /// - Parameter preface: a server's connection begins with 24 bytes that are no frame (RFC 9113, 3.4).
    init(preface: Bool) { passing = preface ? 24 : 0 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        waiting.writeBuffer(&bytes)
        var forwarded = context.channel.allocator.buffer(capacity: waiting.readableBytes)
        var answers = ByteBuffer()
        while waiting.readableBytes > 0 {
            if passing > 0, var piece = waiting.readSlice(length: min(passing, waiting.readableBytes)) {
                passing -= piece.readableBytes
                forwarded.writeBuffer(&piece)
            } else if let length = frameLength(isAnswerable: context.channel.isWritable, &answers) {
                passing = length
            } else {
                break
            }
        }
        waiting.discardReadBytes()
        if answers.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(answers), promise: nil) }
        if forwarded.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(forwarded)) }
    }

    /// How much of what waits is to go by: 0 after a PING that was answered; nil when a frame's beginning is not all there.
    private func frameLength(isAnswerable: Bool, _ answers: inout ByteBuffer) -> Int? {
        let start = waiting.readerIndex
        guard waiting.readableBytes >= Self.headerLength,
            let high = waiting.getInteger(at: start, as: UInt16.self),
            let low = waiting.getInteger(at: start + 2, as: UInt8.self),
            let type = waiting.getInteger(at: start + 3, as: UInt8.self),
            let flags = waiting.getInteger(at: start + 4, as: UInt8.self)
        else { return nil }
        let length = Int(high) << 8 | Int(low)
        guard type == Self.ping, flags & Self.acknowledged == 0, length == 8, isAnswerable else {
            return Self.headerLength + length
        }
        guard var frame = waiting.readSlice(length: Self.headerLength + length) else { return nil }
        frame.setInteger(flags | Self.acknowledged, at: frame.readerIndex + 4)
        answers.writeBuffer(&frame)
        return 0
    }
}
