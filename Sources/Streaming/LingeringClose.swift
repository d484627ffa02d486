import NIOCore

/// Closes a connection so that the peer hears the last word: this half ends behind what was written, and what the peer still
/// sends is read and thrown away until it ends its half, too.
///
/// A socket that is closed over bytes that nobody read sends a reset, and a reset takes what was written before it from the
/// peer's hands (RFC 1122, 4.2.2.13; RFC 9112, 9.6). How much is read, and for how long, is bounded: a peer that talks on is cut
/// off.
final class LingeringClose: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// Sent down the pipeline: the connection is closed at once.
    struct CutOff {}

    /// How long the peer may take to end its half.
    private static let patience = TimeAmount.seconds(1)
    /// What it may send meanwhile, in bytes.
    private static let mostBytes = 64 << 20

    private var isLeaving = false
    private var read = 0
    private var timer: Scheduled<Void>?
    private var promises: [EventLoopPromise<Void>] = []

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, context.channel.isActive else { return context.close(mode: mode, promise: promise) }
        if let promise { promises.append(promise) }
        if isLeaving { return }
        isLeaving = true
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { self.leave(context) }
        context.close(mode: .output, promise: nil)
        context.read()
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is CutOff else { return context.triggerUserOutboundEvent(event, promise: promise) }
        context.close(mode: .all, promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isLeaving else { return context.fireChannelRead(data) }
        read += unwrapInboundIn(data).readableBytes
        if read > Self.mostBytes { leave(context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard isLeaving else { return context.fireChannelReadComplete() }
        context.read()
    }

    /// The peer has ended its half: without half-closure that is the connection's end.
    func channelInactive(context: ChannelHandlerContext) {
        settle()
        context.fireChannelInactive()
    }

    private func leave(_ context: ChannelHandlerContext) {
        context.close(mode: .all, promise: nil)
    }

    private func settle() {
        timer?.cancel()
        for promise in promises { promise.succeed(()) }
        promises = []
    }
}
