import CRI
import Cgroups
import Images
import Linux
import Logging
import PodNetwork
import ShimClient

/// The engine behind the CRI: sandboxes and containers over images, pod network, shims and an OCI runtime.
///
/// Every call is idempotent and can be cancelled; a call on one pod never waits for another pod. What the engine knows
/// is rebuilt from its records and from the shims, which outlive it: call ``recover()`` once after `init`.
///
/// The actor owns the tables and makes every decision; whatever may take time (shims, plugins, mounts, files of the
/// host) is awaited, so other pods' calls go on meanwhile. A pod's own calls are put in order by its turnstile.
public actor Engine {
    public nonisolated let configuration: EngineConfiguration
    nonisolated let places: Places
    nonisolated let store: RecordStore
    nonisolated let facts: HostFacts
    nonisolated let cgroups: CgroupHost
    nonisolated let images: ImageStore
    nonisolated let network: PodNetwork
    nonisolated let logger: Logger
    nonisolated let shims: any ShimLauncher
    nonisolated let events = EventHub()
    nonisolated let layers: WritableLayers
    /// What each runtime handler's OCI runtime can do.
    nonisolated let features: [String: RuntimeFeatures]

    var sandboxes: [SandboxID: SandboxEntry] = [:]
    var containers: [ContainerID: ContainerEntry] = [:]
    var sandboxKeys: [String: SandboxID] = [:]
    var containerKeys: [String: ContainerID] = [:]
    var runs: [String: Flight<CRIRunPodSandboxRequest, SandboxID>] = [:]
    var creations: [String: Flight<CRIContainerConfig, ContainerID>] = [:]
    var endings: [String: Flight<String, Void>] = [:]
    var streaming: (any StreamingURLs)?
    /// Terminals of execs that the streaming server has.
    var terminals: [String: TerminalReference] = [:]
    var podCIDR = ""
    var hooks: (any PodHooks)?
    var closed = false
    /// What an earlier engine left undone is being taken away.
    var clearing: Task<Void, Never>?
    /// What the start has found and put right.
    var recovery = Recovery()

    /// Makes the engine's directories and the pause root filesystem.
    ///
    /// - Throws: `CRIError` naming the path that can't be made.
    public init(
        configuration: EngineConfiguration, images: ImageStore, network: PodNetwork, logger: Logger
    ) async throws {
        try await self.init(
            configuration: configuration, images: images, network: network, logger: logger,
            shims: ShimPrograms(patience: ShimPatience(answer: configuration.shimDeadline)))
    }

    init(
        configuration: EngineConfiguration, images: ImageStore, network: PodNetwork, logger: Logger,
        shims: any ShimLauncher
    ) async throws {
        self.configuration = configuration
        self.images = images
        // A snapshot that is being removed has no size to tell.
        layers = WritableLayers { container in try? await images.usage(container: container) }
        self.network = network
        self.logger = logger
        self.shims = shims
        places = Places(configuration)
        do {
            cgroups = try CgroupHost.detect()
        } catch {
            throw Failure.translate(error, "start of the engine", default: .failedPrecondition)
        }
        facts = HostFacts.observe(cgroups)
        streaming = configuration.streaming
        features = await Self.features(of: configuration, root: places.runtimeRoot, logger: logger)
        let places = places
        do {
            store = try await Blocking.run {
                try Directory.make(places.root, mode: 0o711)
                for folder in ["", "/sandboxes", "/containers", "/oci"] {
                    // Into the containers' own directories only their pods' roots can go.
                    let open = folder.isEmpty || folder == "/containers"
                    try Directory.make(places.state + folder, mode: open ? 0o711 : 0o700)
                }
                try PauseRootfs.make(at: places.pauseRootfs, from: configuration.pausePath)
                return try RecordStore(root: configuration.root, logger: logger)
            }
        } catch {
            throw Failure.translate(error, "start of the engine")
        }
    }

    /// Gives the engine the streaming server that was made after it.
    public func setStreaming(_ streaming: any StreamingURLs) { self.streaming = streaming }

    /// Lets go of the shims and of the state, and ends the event streams; the pods run on.
    public func shutdown() async {
        closed = true
        clearing?.cancel()
        events.close()
        await hooks?.end()
        for entry in sandboxes.values { await entry.shim?.disconnect() }
        await store.close()
    }

    /// Stops and removes every sandbox, and everything that the engine made below its directories.
    public func tearDown() async {
        await clearedUp()
        let ids = Array(sandboxes.keys)
        await withTaskGroup(of: Void.self) { group in
            for id in ids {
                group.addTask {
                    do {
                        try await self.removeSandbox(id)
                    } catch {
                        self.logger.error(
                            "a sandbox can't be removed", metadata: ["sandbox": "\(id)", "reason": "\(error)"])
                    }
                }
            }
        }
        closed = true
        events.close()
        await store.close()
        let (places, store, logger) = (places, store, logger)
        await Blocking.run {
            for tree in [
                places.state + "/sandboxes", places.state + "/containers", places.state + "/oci",
                places.root + "/pause",
            ] {
                do {
                    try Directory.removeTree(tree)
                } catch {
                    logger.error("a directory can't be removed", metadata: ["path": "\(tree)", "reason": "\(error)"])
                }
            }
            do {
                try store.remove()
            } catch {
                logger.error("the state can't be removed", metadata: ["reason": "\(error)"])
            }
        }
    }
}
