import CRI
import NIOCore
import NIOWebSocket

extension StreamingClient {
    /// Joins a connected socket to `port` of the pod that the URL stands for; returns when either side has ended.
    ///
    /// - Parameter socket: owned by this call.
    /// - Throws: ``CRIError`` with the server's words when it can't connect to the port.
    public func forward(port: UInt16, socket: Int32) async throws {
        switch transport {
        case .websocket: try await forwardOverWebSocket(port, socket)
        case .spdy: try await forwardOverSPDY(port, socket)
        }
    }

    private func forwardOverWebSocket(_ port: UInt16, _ socket: Int32) async throws {
        try await withDescriptors([(socket, .socket)]) { opened in
            try await openWebSocket(query: "port=\(port)") { inbound, writer, version in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    defer { group.cancelAll() }
                    group.addTask {
                        try await Self.deliver(inbound, writer, to: opened[0].outbound)
                        return true
                    }
                    group.addTask {
                        // A local client that resets its connection ends it like one that closes it.
                        try? await opened[0].inbound.forEach { try await writer.send(0, $0) }
                        if version.hasClose {
                            try await writer.send(.close, [0])
                        } else {
                            await writer.close(.normalClosure)
                        }
                        return false
                    }
                    while let ended = try await group.next(), !ended {}
                }
            }
        }
    }

    private static func deliver(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter,
        to local: DescriptorWriter
    ) async throws {
        var begun: Set<UInt8> = []
        var failure = ""
        try await inbound.forEachMessage(answering: writer) { message in
            // The first message in each channel repeats the port.
            guard !begun.insert(message.channel).inserted else { return }
            switch message.channel {
            case 0: try await local.write(message.bytes)
            case 1: failure += String(buffer: message.bytes)
            default: break
            }
        }
        await writer.close(.normalClosure)
        if !failure.isEmpty { throw CRIError(.unavailable, failure) }
    }
}
