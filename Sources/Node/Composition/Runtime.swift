import CRI
import CRIgRPC
import Images
import Kubelet
import Logging
import NRI
import PodNetwork
import Sandboxes
import ServiceLifecycle
import Streaming

/// The CRI runtime that the kubelet drives: the engine in this process, or another one behind a socket.
struct Runtime: Sendable {
    let runtime: any RuntimeService
    let images: any ImageService
    /// nil when the runtime is another's.
    let embedded: Embedded?

    struct Embedded: Sendable {
        let engine: Engine
        let store: ImageStore
        let network: PodNetwork
        let streaming: StreamingServer
    }

    /// The embedded engine, with everything that was left by an earlier one adopted.
    static func embedded(
        _ places: NodePlaces, _ configuration: NodeConfiguration, _ programs: Programs, logger: Logger
    ) async throws -> Runtime {
        let registries = registries(configuration)
        if let mistake = registries.proxies.mistake {
            logger.warning("images can't be pulled: a proxy variable is wrong", metadata: ["reason": "\(mistake)"])
        }
        let store = try await ImageStore(root: places.root, logger: logger, registries: registries)
        var networkConfiguration = NetworkConfiguration(
            cacheDir: places.root + "/network/results", dataDir: places.state + "/network/addresses",
            podCIDR: places.podCIDR, podCIDR6: places.podCIDR6, bridge: places.bridge)
        guard networkConfiguration.hasGoodPodCIDR else {
            throw NodeError(
                "the pods' addresses \(places.podCIDR) are no range like 10.88.0.0/16, nor one of each family with a comma "
                    + "between them (--pod-cidr)")
        }
        if let directory = configuration.cniConfDir { networkConfiguration.confDir = directory }
        if let directories = configuration.cniBinDirs { networkConfiguration.binDirs = directories }
        if let deadline = configuration.stepDeadline { networkConfiguration.pluginDeadline = deadline }
        let network = PodNetwork(configuration: networkConfiguration, logger: logger)
        let streaming = try await StreamingServer.bound(try configuration.streaming.configuration(), logger: logger)
        var engineConfiguration = EngineConfiguration(
            root: places.root, state: places.state, runtimePath: programs.runtime, shimPath: programs.shim,
            pausePath: programs.pause, version: KubesimVersion.text, streaming: StreamingAdapter(server: streaming))
        configuration.runtime.apply(to: &engineConfiguration)
        if let deadline = configuration.stepDeadline { engineConfiguration.stepDeadline = deadline }
        engineConfiguration.logLimit = try configuration.containerLogs.limit()
        engineConfiguration.afterStep = try FaultHook.read(places)
        let engine = try await Engine(
            configuration: engineConfiguration, images: store, network: network, logger: logger)
        try await engine.recover()
        try await letPluginsIn(engine, places, configuration, logger: logger)
        return Runtime(
            runtime: engine, images: engine,
            embedded: Embedded(engine: engine, store: store, network: network, streaming: streaming))
    }

    /// Opens the socket for NRI plugins. Where the configuration doesn't ask for one in so many words, a node does without if
    /// another runtime of this host has it.
    private static func letPluginsIn(
        _ engine: Engine, _ places: NodePlaces, _ configuration: NodeConfiguration, logger: Logger
    ) async throws {
        guard configuration.nriEnabled ?? true else { return }
        let plugins = PluginService(
            path: configuration.nriSocket ?? places.nriSocket, runtime: "kubesim", version: KubesimVersion.text,
            node: engine, logger: logger)
        do throws(CRIError) {
            try await plugins.begin()
        } catch {
            if configuration.nriEnabled != nil || configuration.nriSocket != nil { throw NodeError(error.message) }
            logger.warning("there are no NRI plugins on this node", metadata: ["reason": "\(error.message)"])
            return
        }
        await engine.setHooks(plugins)
    }

    private static func registries(_ configuration: NodeConfiguration) -> RegistryConfiguration {
        var registries = RegistryConfiguration()
        if let directory = configuration.registryHosts { registries.hostsDirectory = directory }
        if let file = configuration.registryAuth { registries.credentialFiles.insert(file, at: 0) }
        return registries
    }

    /// Another CRI runtime: containerd, CRI-O.
    static func remote(_ endpoint: String) throws -> Runtime {
        let client = try CRIClient(endpoint: endpoint)
        return Runtime(runtime: client, images: client, embedded: nil)
    }
}
