import CRIgRPC
import Glibc
import Images
import Logging
import PodNetwork
import Sandboxes
import ServiceLifecycle
import Streaming
import UnixSignals

/// The CRI runtime from its start to its end: engine, images, network and streams behind the socket, and no kubelet.
struct CRIProcess {
    let places: NodePlaces
    let configuration: NodeConfiguration
    /// When it ends, its sandboxes are stopped and everything that it made is removed.
    let ephemeral: Bool
    let logger: Logger

    /// Runs until SIGTERM or SIGINT.
    func run() async throws {
        let notice = ReadyNotice()
        guard geteuid() == 0 else {
            throw NodeError("a CRI runtime needs root (namespaces, mounts, cgroups): try `sudo kubesim cri`")
        }
        try NodeDirectories.make([(places.root, 0o711), (places.state, 0o711), (places.images, 0o755)])
        let lock = try NodeLock(root: places.root)
        defer { withExtendedLifetime(lock) {} }
        let runtime = try await Runtime.embedded(
            places, configuration, try Programs.beside(try Programs.ownDirectory()), logger: logger)
        guard let embedded = runtime.embedded else { return }
        let server = try CRIServer(
            endpoint: UnixEndpoint("unix://" + places.socket), runtime: runtime.runtime, images: runtime.images,
            others: [ControlService(images: embedded.store, kubelet: nil)], logger: logger)
        let dropped = ImagesDirectory(places.images, store: embedded.store, logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: CancelledService(name: "CRI socket") { try await server.run() }),
                    .init(
                        service: CancelledService(name: "streams") {
                            try await embedded.streaming.run(serving: embedded.engine)
                        }),
                    .init(service: CancelledService(name: "images directory") { try await dropped.run { _ in } }),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger.quiet))
        // The socket is bound: who comes now is served as soon as the group runs.
        notice.send()
        logger.notice(
            "the CRI is served", metadata: ["root": "\(places.root)", "endpoint": "unix://\(places.socket)"])
        // Whatever ended it, it lets go of its pods in an orderly way.
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await group.run()) } catch { outcome = .failure(error) }
        // A plugin that hangs would live on as nobody's child.
        defer { embedded.network.endPlugins() }
        if ephemeral {
            await NodeRemainder.remove(runtime, places, logger: logger)
        } else {
            await embedded.engine.shutdown()
        }
        try outcome.get()
    }
}

extension Logger {
    /// For a group of services, whose own words about starts and ends are nobody's news.
    var quiet: Logger {
        var logger = self
        logger.logLevel = max(.error, logLevel)
        return logger
    }
}
