import CRI
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Opens the streams that a CRI runtime handed out URLs for.
public struct StreamingClient: Sendable {
    /// What is spoken once the stream is open.
    public enum Transport: String, Sendable, CaseIterable {
        case spdy
        case websocket
    }

    /// Where the streaming server is.
    let host: String
    let port: Int
    /// Path and query.
    let target: String
    let transport: Transport
    private let tls: NIOSSLContext?
    private let serverName: String?

    /// The time that the server may take to accept.
    static let connectLimit = TimeAmount.seconds(10)

    /// - Parameters:
    ///   - url: what Exec, Attach or PortForward returned: `http://127.0.0.1:35671/exec/…`.
    ///   - tls: how a server of https is known.
    /// - Throws: `.invalidArgument` for another scheme than http and https.
    public init(
        url: String, transport: Transport = .websocket, tls: StreamingClientTLS = StreamingClientTLS()
    ) throws(CRIError) {
        let scheme = url.firstRange(of: "://").map { (url[..<$0.lowerBound], url[$0.upperBound...]) }
        guard let (name, rest) = scheme, ["http", "ws", "https", "wss"].contains(String(name)) else {
            throw CRIError(.invalidArgument, "the stream's address \(url) is neither http nor https")
        }
        let isSecure = name.hasSuffix("s")
        let standardPort = isSecure ? 443 : 80
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        target = path.hasPrefix("/") ? String(path) : "/" + path
        if authority.hasPrefix("["), let end = authority.lastIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            port = Int(authority[authority.index(after: end)...].dropFirst()) ?? standardPort
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            host = parts.first.map(String.init) ?? ""
            port = parts.count > 1 ? Int(parts[1]) ?? standardPort : standardPort
        }
        guard !host.isEmpty, (1...65535).contains(port) else {
            throw CRIError(.invalidArgument, "the stream's address \(url) has no usable host and port")
        }
        self.transport = transport
        self.tls = isSecure ? try tls.clientContext() : nil
        serverName = tls.serverName
    }

    /// The server as it is named in messages, and in the request.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    typealias Answer = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// Connects, and asks for the upgrade that `upgrader` does.
    ///
    /// - Parameter refused: makes of a connection that was not upgraded what tells of it.
    /// - Throws: `.unavailable` when nobody answers.
    func connect<Opened: Sendable>(
        _ head: HTTPRequestHead, _ upgrader: any NIOTypedHTTPClientProtocolUpgrader<Opened>,
        refused: @escaping @Sendable (Answer) -> Opened
    ) async throws(CRIError) -> Opened {
        let upgrade = NIOTypedHTTPClientUpgradeConfiguration<Opened>(
            upgradeRequestHead: head, upgraders: [upgrader],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeCompletedFuture { refused(try Answer(wrappingChannelSynchronously: channel)) }
            })
        do {
            return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(Self.connectLimit)
                .connect(host: host, port: port) { [tls, serverName] channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls {
                            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: serverName))
                        }
                        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade)
                        // A server that is quick sends its first frames in the segment that accepts the upgrade; NIO
                        // would drop them.
                        configuration.leftOverBytesStrategy = .forwardBytes
                        return try pipeline.configureUpgradableHTTPClientPipeline(configuration: configuration)
                    }
                }
                .get()
        } catch {
            throw CRIError(.unavailable, "cannot reach the streaming server at \(authority): \(error)")
        }
    }

    /// What a server says that doesn't upgrade.
    func refusal(_ answer: Answer) async throws -> CRIError {
        let words = try await answer.executeThenClose { inbound, _ in try await Self.words(inbound) }
        return CRIError(.failedPrecondition, "the streaming server at \(authority) refused: \(words)")
    }

    /// Status and text of an answer, at most 4 KiB of it.
    private static func words(_ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> String {
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
