import CRI
import Logging
import NIOCore
import NIOWebSocket

/// Serves a port-forward over an upgraded connection.
///
/// Each port that the URL's query names has two channels: 2·i for its bytes and 2·i + 1 for an error; the first message
/// in each is the port as two bytes, low byte first (kubelet's WebSocket port-forward). With version 5, `255, 2·i` ends
/// the client's half of a connection.
struct PortForwardSession: Sendable {
    let sandbox: String
    let ports: [UInt16]
    let runtime: any StreamingRuntime
    let logger: Logger

    /// The number of ports that one stream may have.
    static let maximumPorts = 16

    private static let farewell = Duration.seconds(10)

    private enum Step: Sendable {
        case clientLeft
        case connectionEnded
        case waited
    }

    func serve(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter
    ) async throws {
        var sockets: [(Int32, DescriptorUse)] = []
        var channels: [UInt8] = []
        for (index, port) in ports.enumerated() {
            let data = UInt8(2 * index)
            let bytes = [UInt8(truncatingIfNeeded: port), UInt8(port >> 8)]
            for channel in [data, data + 1] { try await writer.send(channel, ByteBuffer(bytes: bytes)) }
            do {
                sockets.append((try await runtime.connect(sandbox: sandbox, port: port), .socket))
                channels.append(data)
            } catch {
                try await writer.send(data + 1, ByteBuffer(string: error.message))
            }
        }
        try await withDescriptors(sockets[...]) { opened in
            try await forward(inbound, writer, Dictionary(uniqueKeysWithValues: zip(channels, opened)))
        }
    }

    private func forward(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter,
        _ connections: [UInt8: OpenDescriptor]
    ) async throws {
        try await withThrowingTaskGroup(of: Step.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await readMessages(inbound, writer, connections)
                return .clientLeft
            }
            for (channel, connection) in connections {
                group.addTask {
                    // A connection that the pod resets ends like one that it closes.
                    do {
                        try await connection.inbound.forEach { try await writer.send(channel, $0) }
                    } catch is CancellationError {}
                    return .connectionEnded
                }
            }
            var open = connections.count
            while open > 0, let step = try await group.next() {
                if case .clientLeft = step { return }
                open -= 1
            }
            await writer.close(.normalClosure)
            group.addTask {
                try await Task.sleep(for: Self.farewell); return .waited
            }
            _ = try await group.next()
        }
    }

    private func readMessages(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter,
        _ connections: [UInt8: OpenDescriptor]
    ) async throws {
        try await inbound.forEachMessage(answering: writer) { message in
            if message.channel == RemoteCommand.Channel.close.rawValue {
                var bytes = message.bytes
                guard let channel = bytes.readInteger(as: UInt8.self), bytes.readableBytes == 0, channel % 2 == 0,
                    Int(channel) < 2 * ports.count
                else { throw ProtocolViolation(code: .protocolError) }
                connections[channel]?.outbound.finish()
                return
            }
            guard Int(message.channel) < 2 * ports.count, message.channel % 2 == 0 else {
                throw ProtocolViolation(code: .protocolError)
            }
            // The pod may have closed its half; what comes after that has no reader.
            if message.bytes.readableBytes > 0 {
                try? await connections[message.channel]?.outbound.write(message.bytes)
            }
        }
    }
}
