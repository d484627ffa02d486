import CRIgRPC
import GRPCCore
import Glibc
import Images
import KubeTypes
import Kubelet
import Linux
import Logging
import NodeControl
import PodNetwork
import Sandboxes
import ServiceLifecycle
import Streaming
import UnixSignals

/// A node from its start to its end: the runtime, the kubelet, the CRI socket and the images directory, put together.
struct NodeProcess {
    let places: NodePlaces
    let configuration: NodeConfiguration
    /// When it ends, its pods are stopped and everything that it made is removed.
    let ephemeral: Bool
    /// Gets a line for each step of each pod; nil outside the demo.
    let display: (@Sendable (String) -> Void)?
    let logger: Logger

    /// Pods are named after the node, so it needs a name that pods can have.
    private func checkName() throws(NodeError) {
        guard let name = configuration.nodeName, let problem = Names.subdomain(name).first else { return }
        throw NodeError("the node can't be called '\(name)' (--node-name, nodeName): \(problem)")
    }

    /// Runs until SIGTERM or SIGINT.
    func run() async throws {
        let notice = ReadyNotice()
        guard geteuid() == 0 else {
            throw NodeError("a node needs root (namespaces, mounts, cgroups): try `sudo kubesim node`")
        }
        try checkName()
        try NodeDirectories.make([(places.root, 0o711)])
        let lock = try NodeLock(root: places.root)
        defer { withExtendedLifetime(lock) {} }
        try NodeDirectories.make([
            (places.state, 0o711), (places.manifests, 0o755), (places.images, 0o755),
            (places.podLogs, 0o755), (places.containerLogs, 0o755),
        ])
        let runtime =
            if let endpoint = configuration.containerRuntimeEndpoint {
                try Runtime.remote(endpoint)
            } else {
                try await Runtime.embedded(
                    places, configuration, try Programs.beside(try Programs.ownDirectory()), logger: logger)
            }
        let dropped = runtime.embedded.map { ImagesDirectory(places.images, store: $0.store, logger: logger) }
        let kubelet = Kubelet(
            configuration: kubeletConfiguration(), runtime: runtime.runtime, images: runtime.images, logger: logger,
            imagesSettled: { await dropped?.settled() })
        let podsEnd = ephemeral ? PodsEnd(kubelet: kubelet, logger: logger) : nil
        let group = ServiceGroup(
            configuration: .init(
                services: try services(runtime, kubelet, dropped, podsEnd).map { .init(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger.quiet))
        notice.send()
        logger.notice(
            "the node is up",
            metadata: ["root": "\(places.root)", "manifests": "\(places.manifests)", "socket": "\(places.socket)"])
        // Whatever ended the node, it lets go of its pods in an orderly way.
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await group.run()) } catch { outcome = .failure(error) }
        // A plugin that hangs would live on as nobody's child.
        defer { runtime.embedded?.network.endPlugins() }
        if let podsEnd {
            guard podsEnd.leftBehind.isEmpty else {
                await runtime.embedded?.engine.shutdown()
                throw NodeError(
                    "pods were left as they are: \(podsEnd.leftBehind.joined(separator: ", ")); start the node once more"
                        + " with --root \(places.root) to end them")
            }
            await NodeRemainder.remove(runtime, places, logger: logger)
        } else {
            await runtime.embedded?.engine.shutdown()
        }
        try outcome.get()
    }

    /// In the order of their start; they end in the opposite order.
    private func services(
        _ runtime: Runtime, _ kubelet: Kubelet, _ dropped: ImagesDirectory?, _ podsEnd: PodsEnd?
    ) throws -> [any Service] {
        let server = try CRIServer(
            endpoint: UnixEndpoint("unix://" + places.socket), runtime: runtime.runtime, images: runtime.images,
            others: [ControlService(images: runtime.embedded?.store, kubelet: kubelet)], logger: logger)
        var services: [any Service] = [CancelledService(name: "CRI socket") { try await server.run() }]
        if let embedded = runtime.embedded {
            services.append(
                CancelledService(name: "streams") { try await embedded.streaming.run(serving: embedded.engine) })
        }
        if let dropped {
            services.append(
                CancelledService(name: "images directory") { [display] in
                    try await dropped.run { event in
                        if case .loaded = event { kubelet.noticeImagesChanged() }
                        if let display, let line = DemoDisplay(color: false).line(event) { display(line) }
                    }
                })
        }
        services.append(kubelet)
        if let display {
            services.append(
                CancelledService(name: "display") {
                    var demo = DemoDisplay(color: isatty(STDOUT_FILENO) == 1)
                    for await step in kubelet.progress { if let line = demo.line(step) { display(line) } }
                })
        }
        if let podsEnd { services.append(podsEnd) }
        return services
    }

    private func kubeletConfiguration() -> KubeletConfiguration {
        KubeletConfiguration(
            nodeName: configuration.nodeName ?? HostFacts.name(), root: places.root, manifests: places.manifests,
            podLogs: places.podLogs, containerLogs: places.containerLogs, cgroupRoot: places.cgroupRoot,
            clusterDNS: configuration.clusterDNS ?? [], clusterDomain: configuration.clusterDomain ?? "cluster.local",
            nodeAddresses: Array(HostFacts.addresses().prefix(1)), imagesDirectory: places.images)
    }
}
