import CRI
import NIOCore
import NIOWebSocket

extension StreamingClient {
    /// Joins an exec or attach stream until it ends.
    ///
    /// - Parameters:
    ///   - input: what the command reads; pulled as fast as the server takes it. Nil sends nothing.
    ///   - terminal: whether the command was asked for with a terminal; its errors are in its output then.
    ///   - sizes: the terminal's size now and after each change.
    ///   - output: gets what arrives, in order; while it runs no more is taken from the connection.
    /// - Returns: how the command ended.
    /// - Throws: ``CRIError`` when the stream can't be opened, `.unavailable` when it breaks off without a status.
    public func run<Input: AsyncSequence & Sendable>(
        input: Input?, terminal: Bool = false, sizes: AsyncStream<RemoteCommand.TerminalSize>,
        output: @escaping @Sendable (RemoteCommand.Channel, [UInt8]) async throws -> Void
    ) async throws -> RemoteStatus where Input.Element == [UInt8] {
        switch transport {
        case .websocket: try await runOverWebSocket(input, terminal: terminal, sizes, output)
        case .spdy: try await runOverSPDY(input, terminal: terminal, sizes, output)
        }
    }

    private func runOverWebSocket<Input: AsyncSequence & Sendable>(
        _ input: Input?, terminal: Bool, _ sizes: AsyncStream<RemoteCommand.TerminalSize>,
        _ output: @escaping @Sendable (RemoteCommand.Channel, [UInt8]) async throws -> Void
    ) async throws -> RemoteStatus where Input.Element == [UInt8] {
        try await openWebSocket { inbound, writer, version in
            guard version.hasClose || terminal || input == nil else {
                throw CRIError(
                    .failedPrecondition,
                    "this server's WebSockets (\(version.rawValue)) can't tell a command that its input has ended; use SPDY"
                )
            }
            return try await withThrowingTaskGroup(of: RemoteStatus?.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await Self.receive(inbound, writer, output) }
                group.addTask {
                    for await size in sizes { try await writer.send(.resize, size.json) }
                    return nil
                }
                if let input {
                    group.addTask {
                        for try await bytes in input {
                            try await writer.send(RemoteCommand.Channel.stdin.rawValue, ByteBuffer(bytes: bytes))
                        }
                        if version.hasClose, !Task.isCancelled {
                            try await writer.send(.close, [RemoteCommand.Channel.stdin.rawValue])
                        }
                        return nil
                    }
                }
                while let ended = try await group.next() {
                    if let status = ended { return status }
                }
                throw Self.brokeOff
            }
        }
    }

    static let brokeOff = CRIError(.unavailable, "the stream broke off before the command ended")

    private static func receive(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter,
        _ output: @Sendable (RemoteCommand.Channel, [UInt8]) async throws -> Void
    ) async throws -> RemoteStatus {
        var status: RemoteStatus?
        try await inbound.forEachMessage(answering: writer) { message in
            switch RemoteCommand.Channel(rawValue: message.channel) {
            case .stdout: try await output(.stdout, Array(message.bytes.readableBytesView))
            case .stderr: try await output(.stderr, Array(message.bytes.readableBytesView))
            case .error where message.bytes.readableBytes > 0:
                status = RemoteStatus(json: Array(message.bytes.readableBytesView))
            // Servers open their channels with empty messages.
            case .error, .stdin, .resize, .close, nil: break
            }
        }
        await writer.close(.normalClosure)
        guard let status else { throw brokeOff }
        return status
    }
}
