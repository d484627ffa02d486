import CRI
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc
import Logging
import NIOCore

/// Serves the CRI on a unix socket, for kubelets, crictl and any other client.
///
/// The socket is private to its owner, and only root and this user may talk to it, whatever becomes of the file's mode.
public final class CRIServer: Sendable {
    /// Where it listens.
    public let endpoint: UnixEndpoint

    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let identity: (device: dev_t, inode: ino_t)?

    /// The largest message in either direction, in bytes: what kubelet and crictl use.
    static let largestMessage = 16 << 20

    /// Binds the socket: from now on clients may connect, and are served once ``run()`` runs.
    ///
    /// - Parameter others: further gRPC services on the same socket
    /// - Throws: `.alreadyExists` when another process listens there, `.internal` with path and errno.
    public init(
        endpoint: UnixEndpoint, runtime: any RuntimeService, images: any ImageService,
        others: [any RegistrableRPCService] = [], logger: Logger
    ) throws(CRIError) {
        self.endpoint = endpoint
        let socket = try endpoint.listen()
        identity = endpoint.identity()
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        router.register(runtime)
        router.register(images)
        for other in others { other.registerMethods(with: &router) }
        let transport = HTTP2ServerTransport.Posix(
            listeningSocketDescriptor: Int(socket), transportSecurity: .plaintext,
            config: .defaults { config in
                config.rpc.maxRequestPayloadSize = 4 * Self.largestMessage
                config.http2.maxConcurrentStreams = 1000
                config.http2.targetWindowSize = 1 << 20
                config.connection.flushCoalescing = nil
                config.connection.keepalive.clientBehavior = .init(
                    minPingIntervalWithoutCalls: .seconds(10), allowWithoutCalls: true)
                config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                    Self.admit(channel, logger: logger)
                }
            })
        server = GRPCServer(transport: transport, router: router)
    }

    /// Serves until the task is cancelled or ``shutDown()`` was called, then removes the socket file.
    ///
    /// A cancellation lets the calls under way end for `grace` before it cuts them. The listening socket is closed first
    /// in any case: a connection that is accepted by a cancelled server takes the process down (swift-nio's async writers
    /// trap when nobody finishes them).
    public func run(grace: Duration = .seconds(2)) async throws {
        defer { removeSocket() }
        let serving = Task { try await server.serve() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            server.beginGracefulShutdown()
            Task {
                try? await Task.sleep(for: grace)
                serving.cancel()
            }
        }
    }

    /// Takes no more calls; ``run()`` returns when those under way have ended.
    public func shutDown() { server.beginGracefulShutdown() }

    private func removeSocket() {
        guard let ours = identity, let now = endpoint.identity(), ours == now else { return }
        unlink(endpoint.path)
    }

    /// Closes connections of other users; root can't be kept out and needn't be.
    private static func admit(_ channel: any Channel, logger: Logger) -> EventLoopFuture<Void> {
        let answering = channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(PingAnswerer(preface: true), position: .first)
        }
        guard let socket = channel as? any SocketOptionProvider else { return answering }
        let peer: EventLoopFuture<PeerCredentials> = socket.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED))
        return answering.and(peer).flatMapThrowing { _, peer in
            guard peer.uid == 0 || peer.uid == geteuid() else {
                logger.warning(
                    "refused a CRI connection of another user",
                    metadata: ["uid": "\(peer.uid)", "pid": "\(peer.pid)"])
                throw CRIError(.permissionDenied, "only root and the node's own user may use the CRI socket")
            }
        }
    }
}

/// `struct ucred` (unix(7)), which the C module hides behind _GNU_SOURCE.
private struct PeerCredentials: Sendable {
    var pid: pid_t = 0
    var uid: uid_t = 0
    var gid: gid_t = 0
}
