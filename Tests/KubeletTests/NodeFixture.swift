import CRI
import KubeTypes
import Kubelet
import Logging
import Synchronization
import TestKit

/// A kubelet on a fake runtime, with a manifest directory of its own and time that stands still.
struct NodeFixture: Sendable {
    let scratch: Scratch
    let clock: ManualClock
    let runtime: FakeRuntime
    let configuration: KubeletConfiguration

    static func use(
        _ body: @Sendable (NodeFixture) async throws -> Void
    ) async throws {
        try await Scratch.use { scratch in
            let clock = ManualClock()
            var configuration = KubeletConfiguration(
                nodeName: "node", root: scratch.file("root"), manifests: scratch.file("manifests"),
                podLogs: scratch.file("logs/pods"), containerLogs: scratch.file("logs/containers"),
                makesPodCgroups: false, resolverFile: "", nodeAddresses: ["192.0.2.1"])
            configuration.hostsFile = try scratch.write("hosts", "127.0.0.1 localhost\n")
            _ = try scratch.directory("manifests")
            try await body(
                NodeFixture(
                    scratch: scratch, clock: clock, runtime: FakeRuntime(clock: clock), configuration: configuration))
        }
    }

    /// Runs a kubelet while `body` runs.
    func run(_ body: @Sendable (Kubelet, Steps) async throws -> Void) async throws {
        let kubelet = Kubelet(
            configuration: configuration, runtime: runtime, images: runtime, logger: Self.logger, clock: clock)
        let steps = Steps(kubelet.progress)
        let running = Task { try await kubelet.run() }
        do {
            try await body(kubelet, steps)
        } catch {
            running.cancel()
            _ = await running.result
            throw error
        }
        running.cancel()
        try await running.value
    }

    static var logger: Logger {
        var logger = Logger(label: "kubelet-test")
        logger.logLevel = .critical
        return logger
    }

    /// Writes a manifest as an editor with rename does.
    func drop(_ name: String, _ text: String) throws {
        try scratch.write("staged", text)
        try rename("staged", "manifests/" + name)
    }

    func rename(_ from: String, _ to: String) throws {
        try Files.rename(scratch.file(from), scratch.file(to))
    }

    func remove(_ name: String) throws { try Files.remove(scratch.file("manifests/" + name)) }

    static func manifest(_ name: String, containers: String = "", extra: String = "") -> String {
        let list =
            containers.isEmpty ? "  - {name: app, image: 'localhost/busybox:1', command: [sleep, '1000']}" : containers
        return """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name)}
            spec:
            \(extra.isEmpty ? "" : extra + "\n")  containers:
            \(list)
            """
    }

    /// The status of the only pod, or of the one with that name.
    func status(_ kubelet: Kubelet, _ name: String? = nil) async -> PodStatus? {
        await kubelet.podStatuses().first { name == nil || $0.pod.metadata.name == name }?.status
    }
}

/// The steps that a kubelet has told.
final class Steps: Sendable {
    private let all = Mutex<[PodProgress]>([])
    private let reader: Mutex<Task<Void, Never>?> = Mutex(nil)

    init(_ stream: AsyncStream<PodProgress>) {
        reader.withLock {
            $0 = Task { [weak self] in
                for await step in stream { self?.all.withLock { $0.append(step) } }
            }
        }
    }

    deinit { reader.withLock { $0?.cancel() } }

    var steps: [PodProgress.Step] { all.withLock { $0.map(\.step) } }

    func clear() { all.withLock { $0 = [] } }

    /// Waits until a step was told.
    func wait(for step: PodProgress.Step) async throws {
        try await eventually("\(step) (told: \(steps))") { steps.contains(step) }
    }

    func wait(_ what: String, _ matches: (PodProgress.Step) -> Bool) async throws {
        try await eventually(what) { steps.contains(where: matches) }
    }
}
