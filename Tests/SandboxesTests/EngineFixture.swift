import CRI
import Glibc
import Images
import JSON
import Linux
import Logging
import PodNetwork
import SwiftProtobuf
import Synchronization
import TestKit
import Testing

@testable import Sandboxes

/// The engine that was made last on a fixture's directories.
final class LastEngine: Sendable {
    let value: Mutex<Engine>
    init(_ engine: Engine) { value = Mutex(engine) }
}

/// The CRI error that `work` ends with; nil when it succeeds or throws something else.
func refusal(_ work: () async throws -> Void) async -> CRIError? {
    do {
        try await work()
        return nil
    } catch {
        return error as? CRIError
    }
}

/// A whole engine on a scratch directory, with a network and a busybox image of its own; everything goes at the end.
struct EngineFixture: Sendable {
    let engine: Engine
    let scratch: Scratch
    let configuration: EngineConfiguration
    let images: ImageStore
    let network: PodNetwork
    /// The last component of every pod's cgroup parent.
    let token: String
    /// The engine that has the last word, and clears up.
    let last: LastEngine

    static let image = "localhost/busybox:latest"

    /// What a test changes before there is an engine.
    struct Changes {
        var engine: EngineConfiguration
        var network: NetworkConfiguration
    }

    /// Runs `body` with a fresh engine, then stops and removes all it made.
    static func use(
        plugins: [String] = NetworkConfiguration().binDirs,
        handlers: (Scratch) throws -> [String: RuntimeHandler] = { _ in [:] },
        change: (Scratch, inout Changes) throws -> Void = { _, _ in },
        _ body: (EngineFixture) async throws -> Void
    ) async throws {
        try await Scratch.use { scratch in
            let fixture = try await make(scratch, plugins: plugins, handlers: try handlers(scratch), change: change)
            do {
                try await body(fixture)
            } catch {
                await fixture.takeDown()
                throw error
            }
            await fixture.takeDown()
        }
    }

    /// The files of a fixture whose first engine was left: a second one on the same directories.
    func restarted() async throws -> EngineFixture {
        let engine = try await Self.engine(configuration, scratch: scratch, images: images, network: network)
        try await engine.recover()
        await engine.clearedUp()
        last.value.withLock { $0 = engine }
        return EngineFixture(
            engine: engine, scratch: scratch, configuration: configuration, images: images, network: network,
            token: token, last: last)
    }

    private static func make(
        _ scratch: Scratch, plugins: [String], handlers: [String: RuntimeHandler],
        change: (Scratch, inout Changes) throws -> Void
    ) async throws -> EngineFixture {
        let token = String(scratch.path.suffix(6)).filter { $0.isLetter || $0.isNumber }
        var configuration = EngineConfiguration(
            root: scratch.file("root"), state: scratch.file("state"), runtimePath: Binaries.path("kubesim-oci"),
            shimPath: Binaries.path("kubesim-shim"), pausePath: Binaries.path("pause"))
        configuration.cgroupRoot = "/kubesim-test-\(token)"
        configuration.runtimeHandlers = handlers
        configuration.cdiDirectories = [scratch.file("cdi")]
        // Not where everybody's are: what is left there is this engine's.
        configuration.netnsDirectory = try scratch.directory("netns")
        let third = UInt8.random(in: 1...250)
        var changes = Changes(
            engine: configuration,
            network: NetworkConfiguration(
                confDir: scratch.file("no-net.d"), binDirs: plugins, cacheDir: scratch.file("network/results"),
                dataDir: scratch.file("network/addresses"), podCIDR: "10.207.\(third).0/24", bridge: "kst\(token)"))
        try change(scratch, &changes)
        configuration = changes.engine
        let images = try await ImageStore(root: scratch.file("images"), logger: logger(scratch))
        _ = try await images.load(tarball: try await TestImage.busybox(in: scratch), pinned: true)
        let network = PodNetwork(configuration: changes.network, logger: logger(scratch))
        let engine = try await engine(configuration, scratch: scratch, images: images, network: network)
        return EngineFixture(
            engine: engine, scratch: scratch, configuration: configuration, images: images, network: network,
            token: token, last: LastEngine(engine))
    }

    private static func engine(
        _ configuration: EngineConfiguration, scratch: Scratch, images: ImageStore, network: PodNetwork
    ) async throws -> Engine {
        try await Engine(
            configuration: configuration, images: images, network: network, logger: logger(scratch))
    }

    private static func logger(_ scratch: Scratch) -> Logger {
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = getenv("KUBESIM_TEST_LOG") == nil ? .critical : .debug
        return logger
    }

    private func takeDown() async {
        await last.value.withLock { $0 }.tearDown()
        try? await network.tearDown()
        for controller in (try? Directory.names("/sys/fs/cgroup")) ?? [] {
            try? Directory.removeEmpty("/sys/fs/cgroup/\(controller)/kubesim-test-\(token)/kubesim")
            try? Directory.removeEmpty("/sys/fs/cgroup/\(controller)/kubesim-test-\(token)")
        }
    }

    // MARK: configs

    func sandboxConfig(_ name: String, attempt: UInt32 = 0) -> CRIPodSandboxConfig {
        CRIPodSandboxConfig.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.metadata.uid = "uid-\(name)"
            $0.metadata.attempt = attempt
            $0.hostname = name
            $0.logDirectory = scratch.file("logs/\(name)")
            $0.labels = ["app": name]
        }
    }

    func containerConfig(_ name: String, _ command: [String]) -> CRIContainerConfig {
        CRIContainerConfig.with {
            $0.metadata.name = name
            $0.image.image = Self.image
            $0.command = command
            $0.logPath = "\(name)/0.log"
            $0.linux.securityContext.namespaceOptions.pid = .container
        }
    }

    // MARK: shorthands

    func run(_ config: CRIPodSandboxConfig) async throws -> String {
        try await engine.runPodSandbox(CRIRunPodSandboxRequest.with { $0.config = config }).podSandboxID
    }

    func create(_ config: CRIContainerConfig, in sandbox: String, of pod: CRIPodSandboxConfig) async throws -> String {
        try await engine.createContainer(
            CRICreateContainerRequest.with {
                $0.podSandboxID = sandbox
                $0.config = config
                $0.sandboxConfig = pod
            }
        ).containerID
    }

    func start(_ container: String) async throws {
        _ = try await engine.startContainer(CRIStartContainerRequest.with { $0.containerID = container })
    }

    func status(_ container: String) async throws -> CRIContainerStatus {
        try await engine.containerStatus(CRIContainerStatusRequest.with { $0.containerID = container }).status
    }

    func exec(_ container: String, _ command: [String], timeout: Int64 = 20) async throws -> CRIExecSyncResponse {
        try await engine.execSync(
            CRIExecSyncRequest.with {
                $0.containerID = container
                $0.cmd = command
                $0.timeout = timeout
            })
    }

    /// The container's first process.
    func pid(_ container: String) async throws -> Int32 {
        let answer = try await engine.containerStatus(
            CRIContainerStatusRequest.with {
                $0.containerID = container
                $0.verbose = true
            })
        let info = try JSONValue.parse(Array(try #require(answer.info["info"]).utf8))
        return Int32(try #require(info["pid"]?.intValue))
    }

    /// Waits until the container has exited.
    func exited(_ container: String) async throws -> CRIContainerStatus {
        try await eventually("container \(container) has exited") {
            try await status(container).state == .containerExited
        }
        return try await status(container)
    }

    /// The names that the records on disk have.
    func records() throws -> (sandboxes: [String], containers: [String]) {
        let contents = try engine.store.readAll(logger: engine.logger)
        return (contents.sandboxes.map(\.id.text), contents.containers.map(\.id.text))
    }

    func log(_ pod: String, _ container: String) throws -> String {
        try File.readText(scratch.file("logs/\(pod)/\(container)/0.log"))
    }

    func stopAndRemove(_ sandbox: String) async throws {
        _ = try await engine.stopPodSandbox(CRIStopPodSandboxRequest.with { $0.podSandboxID = sandbox })
        _ = try await engine.removePodSandbox(CRIRemovePodSandboxRequest.with { $0.podSandboxID = sandbox })
    }
}
