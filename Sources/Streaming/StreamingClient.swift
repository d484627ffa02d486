import CRI
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// Opens the streams that a CRI runtime handed out URLs for.
public struct StreamingClient: Sendable {
    /// Where the streaming server is.
    let host: String
    let port: Int
    /// Path and query.
    let target: String

    /// The time that the server may take to accept.
    static let connectLimit = TimeAmount.seconds(10)
    /// The largest message from a server, in bytes.
    static let largestMessage = 16 << 20

    /// - Parameter url: what Exec, Attach or PortForward returned: `http://127.0.0.1:35671/exec/…`.
    /// - Throws: `.invalidArgument` for another scheme than http: TLS streams are not supported yet.
    public init(url: String) throws(CRIError) {
        guard let scheme = url.firstRange(of: "://"), ["http", "ws"].contains(String(url[..<scheme.lowerBound])) else {
            throw CRIError(
                .invalidArgument, "the stream's address \(url) isn't http; TLS streams are not supported yet")
        }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        target = path.hasPrefix("/") ? String(path) : "/" + path
        if authority.hasPrefix("["), let end = authority.lastIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            port = Int(authority[authority.index(after: end)...].dropFirst()) ?? 80
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            host = parts.first.map(String.init) ?? ""
            port = parts.count > 1 ? Int(parts[1]) ?? 80 : 80
        }
        guard !host.isEmpty, (1...65535).contains(port) else {
            throw CRIError(.invalidArgument, "the stream's address \(url) has no usable host and port")
        }
    }

    /// An opened connection.
    enum Opened: Sendable {
        case stream(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, RemoteCommand.Version)
        case refused(NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>)
    }

    /// Connects, asks for the WebSocket and hands it to `body`.
    ///
    /// - Throws: `.unavailable` when nobody answers, `.failedPrecondition` with the server's words when it refuses.
    func open<Result: Sendable>(
        query: String? = nil,
        _ body: (
            NIOAsyncChannelInboundStream<WebSocketFrame>, FrameWriter, RemoteCommand.Version
        ) async throws -> Result
    ) async throws -> Result {
        let uri = query.map { target + (target.contains("?") ? "&" : "?") + $0 } ?? target
        let opened: Opened
        do {
            opened = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(Self.connectLimit)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.configure(channel, uri, host: "\(host):\(port)") }
                }
                .get()
        } catch {
            throw CRIError(.unavailable, "cannot reach the streaming server at \(host):\(port): \(error)")
        }
        switch opened {
        case .stream(let channel, let version):
            return try await channel.executeThenClose { inbound, outbound in
                try await body(inbound, FrameWriter(outbound: outbound, masks: true), version)
            }
        case .refused(let channel):
            let words = try await channel.executeThenClose { inbound, _ in try await Self.refusal(inbound) }
            throw CRIError(.failedPrecondition, "the streaming server at \(host):\(port) refused: \(words)")
        }
    }

    private static func configure(
        _ channel: any Channel, _ uri: String, host: String
    ) throws -> EventLoopFuture<Opened> {
        let upgrader = NIOTypedWebSocketClientUpgrader<Opened>(maxFrameSize: largestMessage) { channel, response in
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
        let protocols = RemoteCommand.Version.allCases.map(\.rawValue).joined(separator: ", ")
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: uri,
            headers: ["Host": host, "Sec-WebSocket-Protocol": protocols, "Content-Length": "0"])
        let upgrade = NIOTypedHTTPClientUpgradeConfiguration<Opened>(
            upgradeRequestHead: head, upgraders: [upgrader],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeCompletedFuture {
                    .refused(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
                }
            })
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade)
        // A server that is quick sends its first frames in the segment that accepts the upgrade; NIO would drop them.
        configuration.leftOverBytesStrategy = .forwardBytes
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: configuration)
    }

    /// Status and text of an answer, at most 4 KiB of it.
    private static func refusal(_ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> String
    {
        var status = ""
        var text = ByteBuffer()
        for try await part in inbound {
            switch part {
            case .head(let head): status = "\(head.status.code) \(head.status.reasonPhrase)"
            case .body(var body):
                text.writeBuffer(&body)
                if text.readableBytes > 4096 { return status }
            case .end:
                let words = String(buffer: text).split(separator: "\n").first.map(String.init) ?? ""
                return words.isEmpty ? status : "\(status): \(words)"
            }
        }
        return status.isEmpty ? "it hung up" : status
    }
}
