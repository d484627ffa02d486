import NIOCore
import NIOWebSocket

/// The client of an exec or attach on a WebSocket: each message has a channel.
struct WebSocketCommandClient: CommandClient {
    let inbound: NIOAsyncChannelInboundStream<WebSocketFrame>
    let writer: FrameWriter
    let version: RemoteCommand.Version

    func pump(into inbox: StreamInbox<CommandInput>, _ budget: ByteBudget) async throws {
        try await inbound.forEachMessage(answering: writer) { message in
            switch RemoteCommand.Channel(rawValue: message.channel) {
            case .stdin:
                if message.bytes.readableBytes > 0 {
                    inbox.push(.stdin(message.bytes), bytes: message.bytes.readableBytes)
                }
            case .resize:
                if let size = RemoteCommand.TerminalSize(json: Array(message.bytes.readableBytesView)) {
                    inbox.push(.resize(size), bytes: RemoteCommand.TerminalSize.longestJSON)
                }
            case .close where version.hasClose:
                guard message.bytes.readableBytesView.elementsEqual([RemoteCommand.Channel.stdin.rawValue]) else {
                    throw ProtocolViolation(code: .protocolError)
                }
                inbox.push(.stdinEnded, bytes: 1)
            case .stdout, .stderr, .error, .close, nil: throw ProtocolViolation(code: .protocolError)
            }
            await budget.room()
        }
    }

    func ready() async throws {}

    func send(_ channel: RemoteCommand.Channel, _ bytes: ByteBuffer) async throws {
        try await writer.send(channel.rawValue, bytes)
    }

    /// A WebSocket's channels end with it.
    func end(_ channel: RemoteCommand.Channel) async throws {}

    func finish(_ status: RemoteStatus) async throws {
        if let text = status.text(asJSON: version.hasStatus) { try await writer.send(.error, text) }
        await writer.close(.normalClosure)
    }
}
