import NIOCore
import NIOWebSocket

/// The sending half of a WebSocket connection; many may write at once, and each waits while the peer reads slowly.
struct FrameWriter: Sendable {
    let outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
    /// Clients mask what they send (RFC 6455, 5.3).
    var masks = false

    /// Sends bytes in a channel.
    func send(_ channel: UInt8, _ bytes: ByteBuffer) async throws {
        var data = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 1)
        data.writeInteger(channel)
        data.writeImmutableBuffer(bytes)
        try await write(.binary, data)
    }

    func send(_ channel: RemoteCommand.Channel, _ bytes: [UInt8]) async throws {
        try await send(channel.rawValue, ByteBuffer(bytes: bytes))
    }

    func pong(_ ping: WebSocketFrame) async throws { try await write(.pong, ping.unmaskedData) }

    /// Says goodbye; the peer may be gone already.
    func close(_ code: WebSocketErrorCode) async {
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        try? await write(.connectionClose, data)
    }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) async throws {
        let mask = masks ? WebSocketMaskingKey.random() : nil
        try await outbound.write(WebSocketFrame(fin: true, opcode: opcode, maskKey: mask, data: data))
    }
}

/// One message of the channel protocols.
struct ChannelMessage: Sendable {
    var channel: UInt8
    var bytes: ByteBuffer
}

/// A peer that broke the protocol; the connection ends with this code.
struct ProtocolViolation: Error {
    var code: WebSocketErrorCode
}

extension NIOAsyncChannelInboundStream<WebSocketFrame> {
    /// Hands each message to `body` until the peer says goodbye or hangs up; answers pings.
    ///
    /// - Throws: ``ProtocolViolation``, and what `body` throws.
    func forEachMessage(
        answering writer: FrameWriter, _ body: (ChannelMessage) async throws -> Void
    ) async throws {
        for try await frame in self {
            switch frame.opcode {
            case .binary, .text:
                var data = frame.unmaskedData
                guard let channel = data.readInteger(as: UInt8.self) else { continue }
                try await body(ChannelMessage(channel: channel, bytes: data))
            case .ping: try await writer.pong(frame)
            case .connectionClose: return
            case .pong: continue
            default: throw ProtocolViolation(code: .protocolError)
            }
        }
    }
}
