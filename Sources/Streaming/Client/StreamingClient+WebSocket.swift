import CRI
import NIOCore
import NIOHTTP1
import NIOWebSocket

extension StreamingClient {
    /// The largest message from a server, in bytes.
    private static let largestMessage = 16 << 20

    private enum Opened: Sendable {
        case stream(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, RemoteCommand.Version)
        case refused(Answer)
    }

    /// Connects, asks for a WebSocket and hands it to `body`.
    ///
    /// - Throws: `.unavailable` when nobody answers, `.failedPrecondition` with the server's words when it refuses.
    func openWebSocket<Result: Sendable>(
        query: String? = nil,
        _ body: (
            NIOAsyncChannelInboundStream<WebSocketFrame>, FrameWriter, RemoteCommand.Version
        ) async throws -> Result
    ) async throws -> Result {
        let uri = query.map { target + (target.contains("?") ? "&" : "?") + $0 } ?? target
        let protocols = RemoteCommand.Version.offered.map(\.rawValue).joined(separator: ", ")
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: uri,
            headers: ["Host": authority, "Sec-WebSocket-Protocol": protocols, "Content-Length": "0"])
        switch try await connect(head, Self.upgrader, refused: { .refused($0) }) {
        case .stream(let channel, let version):
            return try await channel.executeThenClose { inbound, outbound in
                try await body(inbound, FrameWriter(outbound: outbound, masks: true), version)
            }
        case .refused(let answer): throw try await refusal(answer)
        }
    }

    private static var upgrader: NIOTypedWebSocketClientUpgrader<Opened> {
        NIOTypedWebSocketClientUpgrader<Opened>(maxFrameSize: largestMessage) { channel, response in
            channel.eventLoop.makeCompletedFuture {
                guard
                    let version = response.headers.first(name: "Sec-WebSocket-Protocol")
                        .flatMap(RemoteCommand.Version.init(rawValue:))
                else { throw CRIError(.failedPrecondition, "the server speaks none of our subprotocols") }
                try channel.pipeline.syncOperations.addHandler(
                    NIOWebSocketFrameAggregator(
                        minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 4096,
                        maxAccumulatedFrameSize: largestMessage))
                return .stream(try NIOAsyncChannel(wrappingChannelSynchronously: channel), version)
            }
        }
    }
}
