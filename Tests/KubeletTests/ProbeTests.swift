import CRI
import KubeTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TestKit
import Testing

@testable import Kubelet

/// A web server on loopback that answers as a test says.
final class LoopbackServer: Sendable {
    struct Answer: Sendable {
        var status: HTTPResponseStatus = .ok
        var headers: [(String, String)] = []
        var body = "ok"
        /// Never answers.
        var hangs = false
    }

    let port: Int
    private let channel: any Channel

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    static func run(
        _ answer: @escaping @Sendable (HTTPRequestHead) -> Answer, tls: NIOSSLContext? = nil,
        _ body: (LoopbackServer) async throws -> Void
    ) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        let server = LoopbackServer(channel)
        do { try await body(server) } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let answer: @Sendable (HTTPRequestHead) -> LoopbackServer.Answer

    init(_ answer: @escaping @Sendable (HTTPRequestHead) -> LoopbackServer.Answer) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let reply = answer(head)
        if reply.hangs { return }
        var headers = HTTPHeaders(reply.headers)
        headers.replaceOrAdd(name: "content-length", value: "\(reply.body.utf8.count)")
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: reply.status, headers: headers))),
            promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: reply.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

@Suite("Probes") struct ProbeTests {
    private let prober = Prober(runtime: FakeRuntime(clock: ManualClock()))

    private func ask(
        _ server: LoopbackServer, path: String = "/", headers: [HTTPGet.Header] = [],
        within limit: Duration = .seconds(20)
    ) async -> ProbeOutcome {
        await prober.ask(
            .http(HTTPGet(host: "127.0.0.1", port: server.port, path: path, headers: headers)), containerID: "c",
            within: limit)
    }

    @Test(arguments: [(200, true), (204, true), (302, true), (399, true), (400, false), (404, false), (500, false)])
    func `200 to 399 is well`(status: Int, isWell: Bool) async throws {
        try await LoopbackServer.run({ _ in .init(status: HTTPResponseStatus(statusCode: status), body: "text") }) {
            let outcome = await ask($0)
            if isWell {
                if case .success = outcome {} else { Issue.record("\(outcome)") }
            } else {
                #expect(outcome == .failure("HTTP probe failed with statuscode: \(status)"))
            }
        }
    }

    @Test func `the request carries the kubelet's name, or what the probe says`() async throws {
        try await LoopbackServer.run({ head in
            .init(
                body: head.headers.map { "\($0.name.lowercased())=\($0.value)" }.joined(separator: "\n") + "\n"
                    + head.uri)
        }) { server in
            guard case .success(let plain) = await ask(server, path: "/healthz?full=1") else {
                Issue.record("no answer")
                return
            }
            #expect(plain.contains("user-agent=kube-probe/1.36"))
            #expect(plain.contains("host=127.0.0.1:\(server.port)"))
            #expect(plain.contains("accept=*/*"))
            #expect(plain.hasSuffix("/healthz?full=1"))
            let own = [
                HTTPGet.Header(name: "Host", value: "example.test"), HTTPGet.Header(name: "User-Agent", value: "mine"),
                HTTPGet.Header(name: "X-Token", value: "1"), HTTPGet.Header(name: "X-Token", value: "2"),
            ]
            guard case .success(let text) = await ask(server, headers: own) else {
                Issue.record("no answer")
                return
            }
            #expect(text.contains("host=example.test") && text.contains("user-agent=mine"))
            #expect(text.contains("x-token=1") && text.contains("x-token=2"))
            #expect(!text.contains("kube-probe"))
        }
    }

    @Test func `redirects on the same host are followed, and one that leads away ends well`() async throws {
        try await LoopbackServer.run({ head in
            switch head.uri {
            case "/a": .init(status: .found, headers: [("Location", "/b")])
            case "/b": .init(status: .movedPermanently, headers: [("Location", "c")])
            case "/c": .init(status: .internalServerError)
            case "/away": .init(status: .found, headers: [("Location", "http://elsewhere.test/")])
            default: .init(status: .found, headers: [("Location", "/loop")])
            }
        }) { server in
            #expect(await ask(server, path: "/a") == .failure("HTTP probe failed with statuscode: 500"))
            if case .success(let text) = await ask(server, path: "/away") {
                #expect(text.hasPrefix("Probe terminated redirects"))
            } else {
                Issue.record("a redirect away must be well")
            }
            if case .failure(let text) = await ask(server, path: "/loop") {
                #expect(text.hasSuffix("stopped after 10 redirects"))
            } else {
                Issue.record("a loop must fail")
            }
        }
    }

    @Test func `a server that never answers fails at the timeout`() async throws {
        try await LoopbackServer.run({ _ in .init(hangs: true) }) { server in
            guard case .failure(let text) = await ask(server, within: .seconds(1)) else {
                Issue.record("there is no answer to like")
                return
            }
            #expect(text.hasPrefix("Get \"http://127.0.0.1:\(server.port)/\": deadline exceeded while"))
        }
    }

    @Test func `a body without end is cut`() async throws {
        try await LoopbackServer.run({ _ in .init(body: String(repeating: "x", count: 1 << 20)) }) { server in
            guard case .success(let text) = await ask(server) else {
                Issue.record("no answer")
                return
            }
            #expect(text.utf8.count == HTTPGet.bodyLimitBytes)
        }
    }

    @Test(.enabled(if: Files.exists("/usr/bin/openssl"), "needs openssl, which makes the certificate"))
    func `an encrypted server is asked without asking who it is`() async throws {
        try await Scratch.use { scratch in
            let (key, certificate) = (scratch.file("key.pem"), scratch.file("certificate.pem"))
            try await Command([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout",
                key, "-out", certificate, "-days", "1", "-subj", "/CN=probe.test",
            ]).run()
            let tls = try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: key, format: .pem))))
            try await LoopbackServer.run({ _ in .init(body: "secret") }, tls: tls) { server in
                let get = HTTPGet(scheme: "https", host: "127.0.0.1", port: server.port, path: "/")
                #expect(
                    await prober.ask(.http(get), containerID: "c", within: .seconds(20)) == .success("secret"))
                guard case .failure = await ask(server) else {
                    Issue.record("plain words to an encrypted server can't be well")
                    return
                }
            }
        }
    }

    @Test func `a port is open or it is not`() async throws {
        var port = 0
        try await LoopbackServer.run({ _ in .init() }) { server in
            port = server.port
            let open = await prober.ask(.tcp(host: "127.0.0.1", port: port), containerID: "c", within: .seconds(20))
            #expect(open == .success(""))
        }
        let closed = await prober.ask(.tcp(host: "127.0.0.1", port: port), containerID: "c", within: .seconds(20))
        if case .failure(let text) = closed {
            #expect(text.hasPrefix("dial tcp 127.0.0.1:\(port):"))
            #expect(text.contains("refused"))
        } else {
            Issue.record("\(closed)")
        }
    }

    @Test func `a command's exit code decides, and its time-out is a failure`() async throws {
        let runtime = FakeRuntime(clock: ManualClock())
        let prober = Prober(runtime: runtime)
        await runtime.set(exec: "bad", code: 2)
        #expect(await prober.ask(.exec(["good"]), containerID: "c", within: .seconds(1)) == .success(""))
        #expect(await prober.ask(.exec(["bad"]), containerID: "c", within: .seconds(1)) == .failure("exit code 2"))
        await runtime.fail("exec", CRIError(.deadlineExceeded, "timed out"), CRIError(.unavailable, "shim is away"))
        #expect(
            await prober.ask(.exec(["slow"]), containerID: "c", within: .seconds(3))
                == .failure("command timed out after 3s"))
        #expect(await prober.ask(.exec(["lost"]), containerID: "c", within: .seconds(1)) == .unknown("shim is away"))
    }

    @Test func `ports are found by their names`() {
        let container = Given.container("app") { $0.ports = [ContainerPort(name: "web", containerPort: 8080)] }
        let named = Probe(httpGet: HTTPGetAction(port: "web", path: "healthz"))
        #expect(
            ProbeTarget(named, container, address: "10.0.0.1")
                == .http(HTTPGet(host: "10.0.0.1", port: 8080, path: "/healthz")))
        let missing = Probe(tcpSocket: TCPSocketAction(port: "none"))
        #expect(ProbeTarget(missing, container, address: "") == .impossible("no port named \"none\" in container app"))
    }

    @Test func `verdicts change at their thresholds`() {
        var count = ProbeCount(kind: .liveness, probe: Probe(failureThreshold: 3, successThreshold: 1))
        let answers: [ProbeOutcome] = [.failure("1"), .failure("2"), .success(""), .failure("3"), .failure("4")]
        for answer in answers { #expect(count.take(answer) == nil) }
        #expect(count.take(.unknown("?")) == nil)
        let verdict = count.take(.failure("5"))
        #expect(verdict?.0 == false && verdict?.1 == "5")

        var readiness = ProbeCount(kind: .readiness, probe: Probe(failureThreshold: 2, successThreshold: 2))
        #expect(readiness.take(.success("")) == nil)
        #expect(readiness.take(.success(""))?.0 == true)
        #expect(readiness.take(.failure("")) == nil)
        #expect(readiness.take(.failure(""))?.0 == false)
    }
}
