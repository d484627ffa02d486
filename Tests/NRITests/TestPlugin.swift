import CRI
import Linux
import Logging
import NRI
import OCISpec
import SwiftProtobuf
import Synchronization
import TTRPC
import TestKit

@testable import Sandboxes

/// A plugin at the other end of a real socket, which speaks the protocol by itself.
actor TestPlugin {
    /// Answers one of the runtime's calls with an encoded message.
    typealias Answer = @Sendable (_ method: String, _ payload: [UInt8]) async throws(CallFailure) -> [UInt8]

    let name: String
    private let connection: Connection
    private let heard = Mutex<[String]>([])
    private var serving: Task<Void, Never>?

    /// Connects and says who it is.
    ///
    /// - Parameters:
    ///   - events: what it wants to hear; empty is everything
    ///   - answer: what it says to each call; Configure is answered here
    static func connect(
        _ path: String, index: String = "10", name: String, events: [NRIEvent] = [],
        answer: @escaping Answer = { (_, _) throws(CallFailure) in [] }
    ) async throws -> TestPlugin {
        let log = Log()
        let mask = events.reduce(Int32(0)) { $0 | 1 << Int32($1.rawValue - 1) }
        let connection = Connection(
            try UnixSocket.connect(to: path, .stream), numbers: Connection.Numbers(outgoing: 2, incoming: 1)
        ) { (_, method, payload) throws(CallFailure) in
            log.heard.withLock { $0.append(method) }
            if method == "Configure" {
                do {
                    return try NRIConfigureResponse.with { $0.events = mask }.serializedBytes()
                } catch {
                    throw CallFailure(.unknown, "\(error)")
                }
            }
            return try await answer(method, payload)
        }
        let plugin = TestPlugin(name: name, connection: connection, log: log)
        await plugin.serve()
        try await plugin.register(index: index, name: name)
        return plugin
    }

    /// What was heard, for the handler that outlives nobody.
    final class Log: Sendable {
        let heard = Mutex<[String]>([])
    }

    private let log: Log

    private init(name: String, connection: Connection, log: Log) {
        self.name = name
        self.connection = connection
        self.log = log
    }

    private func serve() {
        let connection = connection
        serving = Task { await connection.serve() }
    }

    private func register(index: String, name: String) async throws {
        let request = NRIRegisterPluginRequest.with {
            $0.pluginIdx = index
            $0.pluginName = name
        }
        _ = try await call("RegisterPlugin", request)
    }

    /// Asks the runtime.
    func call(_ method: String, _ request: some SwiftProtobuf.Message) async throws -> [UInt8] {
        try await connection.call(
            "nri.pkg.api.v1alpha1.Runtime", method, try request.serializedBytes(), timeout: .seconds(10))
    }

    nonisolated var methods: [String] { log.heard.withLock { $0 } }

    var isClosed: Bool { get async { await connection.isClosed } }

    func leave() async {
        await connection.close()
        await serving?.value
    }
}

/// An engine's stand-in: what there is, and what was asked of it.
final class TestNode: HookedNode {
    let state = Mutex(HookedState(pods: [], containers: []))
    let updates = Mutex<[ResourceUpdate]>([])
    let evictions = Mutex<[Eviction]>([])

    func hookedState() async -> HookedState { state.withLock { $0 } }

    func apply(_ wanted: [ResourceUpdate]) async -> [ResourceUpdate] {
        updates.withLock { $0 += wanted }
        return wanted.filter { $0.container == "unknown" }
    }

    func evict(_ containers: [Eviction]) async { evictions.withLock { $0 += containers } }
}

/// A service with its socket, and the pod and container that are told of.
struct ServiceFixture {
    let service: PluginService
    let node: TestNode
    let path: String
    let scratch: Scratch

    static func use(_ body: (ServiceFixture) async throws -> Void) async throws {
        try await Scratch.use { scratch in
            let (node, path) = (TestNode(), scratch.file("nri/nri.sock"))
            let service = PluginService(
                path: path, runtime: "kubesim", version: "1", node: node,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await service.begin()
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(
                    try await body(
                        ServiceFixture(service: service, node: node, path: path, scratch: scratch)))
            } catch { outcome = .failure(error) }
            await service.end()
            try outcome.get()
        }
    }

    var pod: HookedPod {
        var config = CRIPodSandboxConfig()
        config.metadata.name = "web"
        config.metadata.namespace = "team"
        config.metadata.uid = "u1"
        return HookedPod(
            id: "p1", config: config, runtimeHandler: "", pid: 7, addresses: ["10.1.1.1"], cgroupsPath: "/k/p1",
            netns: "/run/netns/p1")
    }

    func container(_ id: String = "c1") -> HookedContainer {
        var config = CRIContainerConfig()
        config.metadata.name = "main"
        var spec = Spec()
        spec.process = OCISpec.Process(args: ["/bin/sh"], env: ["A=1", "B=2"])
        spec.mounts = [Mount(destination: "/data", type: "bind", source: "/host", options: ["ro"])]
        spec.annotations = ["old": "1"]
        spec.linux = LinuxSection(resources: LinuxResources(memory: LinuxMemory(limit: 1 << 20)))
        return HookedContainer(
            id: id, pod: "p1", config: config, state: .containerCreated, spec: spec, pid: 0, createdAtNanoseconds: 1,
            startedAtNanoseconds: 0, finishedAtNanoseconds: 0, exitCode: 0, reason: "", message: "")
    }

    /// An answer to CreateContainer.
    static func adjusting(
        _ body: @escaping @Sendable (inout NRICreateContainerResponse) -> Void
    ) -> TestPlugin.Answer {
        { (method, _) throws(CallFailure) in
            guard method == "CreateContainer" else { return [] }
            do {
                return try NRICreateContainerResponse.with { body(&$0) }.serializedBytes()
            } catch {
                throw CallFailure(.unknown, "\(error)")
            }
        }
    }
}
