import NIOCore

/// A SPDY connection whose frames are read and written as values.
typealias SPDYChannel = NIOAsyncChannel<SPDYFrame, SPDYFrame>

/// The sending half of a SPDY connection; many may write at once, and each waits while the peer reads slowly.
struct SPDYWriter: Sendable {
    let outbound: NIOAsyncChannelOutboundWriter<SPDYFrame>

    func send(_ frame: SPDYFrame) async throws { try await outbound.write(frame) }

    func send(_ stream: UInt32, _ bytes: ByteBuffer, fin: Bool = false) async throws {
        try await outbound.write(.data(stream, bytes, fin: fin))
    }

    func send(_ stream: UInt32, _ text: [UInt8], fin: Bool = false) async throws {
        try await send(stream, ByteBuffer(bytes: text), fin: fin)
    }

    /// Ends this half of a stream.
    func end(_ stream: UInt32) async throws { try await send(stream, ByteBuffer(), fin: true) }

    /// Says goodbye; the peer may be gone already.
    func close(_ reason: SPDYFrame.Farewell, lastStream: UInt32 = 0) async {
        try? await outbound.write(.goAway(lastStream: lastStream, reason))
    }
}

extension SPDYChannel {
    /// Turns the channel's bytes, whatever they come out of, into frames.
    static func wrap(_ channel: any Channel) throws -> SPDYChannel {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ByteToMessageHandler(try SPDYFrameDecoder()))
        try pipeline.addHandler(MessageToByteHandler(try SPDYFrameEncoder()))
        return try SPDYChannel(wrappingChannelSynchronously: channel)
    }
}
