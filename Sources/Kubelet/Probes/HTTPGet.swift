import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One HTTP GET with a deadline, as probes and hooks need it: no pool, no thread of its own, a bounded body.
struct HTTPGet: Sendable, Hashable {
    var scheme = "http"
    var host: String
    var port: Int
    /// With its query.
    var path: String
    var headers: [Header] = []

    struct Header: Sendable, Hashable {
        var name: String
        var value: String
    }

    struct Reply: Sendable, Hashable {
        var status: Int
        var location: String?
        /// At most ``bodyLimitBytes`` of it.
        var body: String
    }

    struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        let description: String
    }

    static let bodyLimitBytes = 10 << 10

    var url: String { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)" }

    func send(within limit: Duration) async throws(Failure) -> Reply {
        let tls: NIOSSLContext?
        switch scheme {
        case "http": tls = nil
        case "https": tls = try Self.tlsContext()
        default: throw Failure(description: "Get \"\(url)\": scheme \(scheme) is not done yet")
        }
        let deadline = NIODeadline.now() + .nanoseconds(limit.wholeNanoseconds)
        let group = MultiThreadedEventLoopGroup.singleton
        let loop = group.next()
        let promise = loop.makePromise(of: Reply.self)
        let request = self
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(limit.wholeNanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(
                                context: tls, serverHostname: Self.isAddress(request.host) ? nil : request.host))
                    }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        GetHandler(request: request, promise: promise, deadline: deadline))
                }
            }
        do {
            // The handler owns the promise once there is a channel; without one nobody else would keep it.
            _ = try await bootstrap.connect(host: host, port: port).flatMapErrorThrowing { error in
                promise.fail(error)
                throw error
            }.get()
            return try await promise.futureResult.get()
        } catch {
            throw Failure(description: "Get \"\(url)\": \(Self.words(error))")
        }
    }

    /// As upstream's probes: encrypted, and the certificate is not asked who it is.
    private static func tlsContext() throws(Failure) -> NIOSSLContext {
        do {
            return try sharedTLS.get()
        } catch {
            throw Failure(description: "TLS can't be set up: \(error)")
        }
    }

    private static let sharedTLS = Result {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        return try NIOSSLContext(configuration: configuration)
    }

    /// A name is told to the server (SNI), an address is not.
    private static func isAddress(_ host: String) -> Bool {
        host.contains(":")
            || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: return "\(error)"
        case is TimedOut: return "deadline exceeded while awaiting the reply"
        case let error as ChannelError:
            if case .connectTimeout = error { return "deadline exceeded while connecting" }
            return "\(error)"
        case let error as NIOConnectionError:
            return error.connectionErrors.first.map { words($0.error) } ?? "\(error)"
        default: return "\(error)"
        }
    }

    struct TimedOut: Error {}
    struct ClosedEarly: Error, CustomStringConvertible {
        var description: String { "the server closed the connection without a reply" }
    }
}

/// Sends the request when the channel is up and keeps what comes back.
private final class GetHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPGet
    private let promise: EventLoopPromise<HTTPGet.Reply>
    private let deadline: NIODeadline
    private var reply = HTTPGet.Reply(status: 0, location: nil, body: "")
    private var body: [UInt8] = []
    private var timeout: Scheduled<Void>?
    private var isDone = false

    init(request: HTTPGet, promise: EventLoopPromise<HTTPGet.Reply>, deadline: NIODeadline) {
        self.request = request
        self.promise = promise
        self.deadline = deadline
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(deadline: deadline) {
            let (handler, context) = bound.value
            handler.end(context, .failure(HTTPGet.TimedOut()))
        }
        var headers = HTTPHeaders()
        for header in request.headers where !(header.value.isEmpty && header.name.lowercased() == "user-agent") {
            headers.add(name: header.name, value: header.value)
        }
        if !headers.contains(name: "host") {
            let host = request.host.contains(":") ? "[\(request.host)]" : request.host
            headers.add(name: "Host", value: "\(host):\(request.port)")
        }
        if !request.headers.contains(where: { $0.name.lowercased() == "user-agent" }) {
            headers.add(name: "User-Agent", value: "kube-probe/1.36")
        }
        if !headers.contains(name: "accept") { headers.add(name: "Accept", value: "*/*") }
        headers.replaceOrAdd(name: "Connection", value: "close")
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: request.path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            reply.status = Int(head.status.code)
            reply.location = head.headers.first(name: "location")
        case .body(let buffer):
            body += buffer.readableBytesView.prefix(HTTPGet.bodyLimitBytes - body.count)
            if body.count >= HTTPGet.bodyLimitBytes { finish(context) }
        case .end: finish(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if reply.status == 0 { end(context, .failure(HTTPGet.ClosedEarly())) } else { finish(context) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(context, .failure(error)) }

    private func finish(_ context: ChannelHandlerContext) {
        reply.body = String(decoding: body, as: UTF8.self)
        end(context, .success(reply))
    }

    private func end(_ context: ChannelHandlerContext, _ result: Result<HTTPGet.Reply, any Error>) {
        guard !isDone else { return }
        isDone = true
        timeout?.cancel()
        promise.completeWith(result)
        context.close(promise: nil)
    }
}
