import Glibc
import NIOCore
import NIOPosix

/// A descriptor as a channel of bytes with backpressure in both directions; the channel owns the descriptor.
typealias DescriptorChannel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

/// How a descriptor is used.
enum DescriptorUse {
    /// A pipe's end.
    case reading, writing
    /// Both ways; its two halves end together.
    case terminal
    /// Both ways; each half can be ended.
    case socket
}

/// Makes a channel of a pipe's end, a terminal or a socket, and closes the descriptor if that fails.
///
/// Once the descriptor ends for reading it stays open for writing, until it is closed.
func openDescriptor(_ descriptor: Int32, for use: DescriptorUse) async throws -> DescriptorChannel {
    let bootstrap = NIOPipeBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .channelOption(.allowRemoteHalfClosure, value: true)
    let wrap: @Sendable (any Channel) -> EventLoopFuture<DescriptorChannel> = { channel in
        channel.eventLoop.makeCompletedFuture {
            try DescriptorChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(
                    backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
                    isOutboundHalfClosureEnabled: true))
        }
    }
    do {
        switch use {
        case .reading:
            return try await bootstrap.takingOwnershipOfDescriptor(input: descriptor, channelInitializer: wrap)
        case .writing:
            return try await bootstrap.takingOwnershipOfDescriptor(output: descriptor, channelInitializer: wrap)
        case .terminal:
            return try await bootstrap.takingOwnershipOfDescriptor(inputOutput: descriptor, channelInitializer: wrap)
        case .socket:
            return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .withConnectedSocket(descriptor, channelInitializer: wrap)
        }
    } catch {
        close(descriptor)
        throw error
    }
}

extension NIOAsyncChannelInboundStream<ByteBuffer> {
    /// Hands every piece to `body` until the end; a terminal's other side that hung up (EIO) is an end too.
    func forEach(_ body: (ByteBuffer) async throws -> Void) async throws {
        var iterator = makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do { piece = try await iterator.next() } catch let error as IOError where error.errnoCode == EIO { return }
            guard let piece else { return }
            try await body(piece)
        }
    }
}

/// A descriptor whose channel is open.
struct OpenDescriptor: Sendable {
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>
    var outbound: DescriptorWriter
}

/// Writes to a descriptor; each write is over when the kernel has all its bytes.
///
/// swift-nio's own writer is done when the bytes are queued, and the end of a pipe's only direction closes the channel
/// with what is in its queue: the tail of a process's input would be lost.
struct DescriptorWriter: Sendable {
    let channel: any Channel
    let half: NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// A cancelled write closes the descriptor: how much of it went out is not known.
    func write(_ bytes: ByteBuffer) async throws {
        try await withTaskCancellationHandler {
            try await channel.writeAndFlush(bytes).get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// Ends this direction.
    func finish() { half.finish() }
}

/// Opens channels of descriptors, which it owns from now on, and closes all of them after `body`.
func withDescriptors<Result: Sendable>(
    _ descriptors: ArraySlice<(Int32, DescriptorUse)>, opened: [OpenDescriptor] = [],
    _ body: ([OpenDescriptor]) async throws -> Result
) async throws -> Result {
    guard let (descriptor, use) = descriptors.first else { return try await body(opened) }
    let channel: DescriptorChannel
    do {
        channel = try await openDescriptor(descriptor, for: use)
    } catch {
        for (other, _) in descriptors.dropFirst() { close(other) }
        throw error
    }
    return try await channel.executeThenClose { inbound, outbound in
        let writer = DescriptorWriter(channel: channel.channel, half: outbound)
        return try await withDescriptors(
            descriptors.dropFirst(), opened: opened + [OpenDescriptor(inbound: inbound, outbound: writer)], body)
    }
}
