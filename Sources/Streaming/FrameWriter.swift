import FoundationEssentials
import NIOCore
import NIOWebSocket

/// The sending half of a WebSocket connection; many may write at once, and each waits while the peer reads slowly.
struct FrameWriter: Sendable {
    let outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
    /// Clients mask what they send (RFC 6455, 5.3).
    var masks = false
    /// Messages are text in base 64, both ways.
    var isBase64 = false

    /// What is sent in one message: peers refuse frames that are too large for them (ours at 1 MiB), and base 64 makes four of
    /// three.
    private static let largestPiece = 256 << 10

    /// Sends bytes in a channel, a large number of them in several messages.
    func send(_ channel: UInt8, _ bytes: ByteBuffer) async throws {
        var rest = bytes
        repeat {
            let length = min(rest.readableBytes, Self.largestPiece)
            guard let piece = rest.readSlice(length: length) else { return }
            try await sendPiece(channel, piece)
        } while rest.readableBytes > 0
    }

    private func sendPiece(_ channel: UInt8, _ bytes: ByteBuffer) async throws {
        guard !isBase64 else {
            let text = Data(bytes.readableBytesView).base64EncodedString()
            return try await write(.text, ByteBuffer(string: String(Self.digit(channel)) + text))
        }
        var data = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 1)
        data.writeInteger(channel)
        data.writeImmutableBuffer(bytes)
        try await write(.binary, data)
    }

    func send(_ channel: RemoteCommand.Channel, _ bytes: [UInt8]) async throws {
        try await send(channel.rawValue, ByteBuffer(bytes: bytes))
    }

    /// Channel 0 is `0`, and so on.
    private static func digit(_ channel: UInt8) -> Character { Character(UnicodeScalar(channel &+ UInt8(ascii: "0"))) }

    /// Reads a message.
    fileprivate func message(_ frame: WebSocketFrame) throws -> ChannelMessage? {
        var data = frame.unmaskedData
        guard let channel = data.readInteger(as: UInt8.self) else { return nil }
        guard isBase64 else { return ChannelMessage(channel: channel, bytes: data) }
        guard let bytes = Data(base64Encoded: Data(data.readableBytesView)) else {
            throw ProtocolViolation(code: .dataInconsistentWithMessage)
        }
        return ChannelMessage(channel: channel &- UInt8(ascii: "0"), bytes: ByteBuffer(bytes: bytes))
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
                if let message = try writer.message(frame) { try await body(message) }
            case .ping: try await writer.pong(frame)
            case .connectionClose: return
            case .pong: continue
            default: throw ProtocolViolation(code: .protocolError)
            }
        }
    }
}
