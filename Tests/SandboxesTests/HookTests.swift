import CRI
import Linux
import OCISpec
import SwiftProtobuf
import Synchronization
import TestKit
import Testing

@testable import Sandboxes

@Suite(
    "Hooks at each step of pods' and containers' lives", .serialized,
    .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct HookTests {
    /// Writes down what it hears, and says what the test wants it to.
    private final class Recorder: PodHooks {
        let heard = Mutex<[String]>([])
        let refusing = Mutex<String?>(nil)
        let takesPodsCgroup = Mutex(false)
        let during: @Sendable (String) async -> Void

        init(during: @escaping @Sendable (String) async -> Void = { _ in }) { self.during = during }

        private func hear(_ what: String) async {
            heard.withLock { $0.append(what) }
            await during(what)
        }

        private func ask(_ what: String) async throws(CRIError) {
            await hear(what)
            if refusing.withLock({ $0 == what }) { throw CRIError(.unknown, "refused") }
        }

        func run(_ pod: HookedPod) async throws(CRIError) { try await ask("run \(pod.config.metadata.name)") }
        func update(_ pod: HookedPod, _ change: PodResourceChange) async throws(CRIError) { try await ask("limit pod") }
        func updated(_ pod: HookedPod) async { await hear("limited pod") }
        func stopped(_ pod: HookedPod) async { await hear("stopped pod") }
        func removed(_ pod: HookedPod) async { await hear("removed pod") }
        func create(_ container: HookedContainer, in pod: HookedPod) async throws(CRIError) -> SpecChange {
            try await ask("create")
            var spec = container.spec ?? Spec()
            spec.process?.env.append("HOOKED=yes")
            if takesPodsCgroup.withLock({ $0 }) { spec.linux?.cgroupsPath = pod.cgroupsPath }
            return SpecChange(spec: spec)
        }
        func created(_ container: HookedContainer, in pod: HookedPod) async { await hear("created") }
        func start(_ container: HookedContainer, in pod: HookedPod) async throws(CRIError) { try await ask("start") }
        func started(_ container: HookedContainer, in pod: HookedPod) async { await hear("started") }
        func update(
            _ container: HookedContainer, in pod: HookedPod, _ resources: LinuxResources
        ) async throws(CRIError) -> ResourceChange {
            try await ask("limit")
            return ResourceChange(resources: resources.merged(with: LinuxResources(cpu: LinuxCPU(shares: 333))))
        }
        func updated(_ container: HookedContainer, in pod: HookedPod) async { await hear("limited") }
        func stopped(_ container: HookedContainer, in pod: HookedPod) async -> [ResourceUpdate] {
            await hear("stopped \(container.exitCode)")
            return []
        }
        func removed(_ container: HookedContainer, in pod: HookedPod) async { await hear("removed") }
        func end() async { await hear("end") }

        var all: [String] { heard.withLock { $0 } }
    }

    // Checked: without the look the pod's own processes are killed with the container that could not be started.
    @Test("a hook can't give a container a cgroup that others are in") func foreignCgroup() async throws {
        try await EngineFixture.use { fixture in
            let hooks = Recorder()
            await fixture.engine.setHooks(hooks)
            let pod = fixture.sandboxConfig("hooked")
            let sandbox = try await fixture.run(pod)
            let config = fixture.containerConfig("main", ["/bin/sh", "-c", "exec sleep 1000"])
            let other = try await fixture.create(config, in: sandbox, of: pod)
            try await fixture.start(other)
            hooks.takesPodsCgroup.withLock { $0 = true }
            let failure = await #expect(throws: CRIError.self) {
                _ = try await fixture.create(
                    fixture.containerConfig("second", ["/bin/sh", "-c", "exec sleep 1000"]), in: sandbox, of: pod)
            }
            #expect(failure?.code == .failedPrecondition && failure?.message.contains("exists already") == true)
            #expect(try await fixture.status(other).state == .containerRunning)
            #expect(
                try await fixture.engine.podSandboxStatus(.with { $0.podSandboxID = sandbox }).status.state
                    == .sandboxReady)
        }
    }

    @Test("each step is told once and in order, and what a hook changes is what is made")
    func order() async throws {
        try await EngineFixture.use { fixture in
            let hooks = Recorder()
            await fixture.engine.setHooks(hooks)
            let pod = fixture.sandboxConfig("hooked")
            let sandbox = try await fixture.run(pod)
            let config = fixture.containerConfig("main", ["/bin/sh", "-c", "echo $HOOKED; exec sleep 1000"])
            let container = try await fixture.create(config, in: sandbox, of: pod)
            try await fixture.start(container)
            try await eventually("it has spoken") {
                (try? fixture.log("hooked", "main").contains("stdout F yes")) == true
            }
            _ = try await fixture.engine.updateContainerResources(
                CRIUpdateContainerResourcesRequest.with {
                    $0.containerID = container
                    $0.linux.memoryLimitInBytes = 64 << 20
                })
            #expect(try await fixture.status(container).resources.linux.cpuShares == 333)
            let stop = CRIStopPodSandboxRequest.with { $0.podSandboxID = sandbox }
            _ = try await fixture.engine.stopPodSandbox(stop)
            _ = try await fixture.engine.stopPodSandbox(stop)
            try await fixture.stopAndRemove(sandbox)
            #expect(
                hooks.all == [
                    "run hooked", "create", "created", "start", "started", "limit", "limited", "stopped 137",
                    "stopped pod", "removed", "removed pod",
                ])
        }
    }

    @Test("a container that ends at once is told of as started, ended, and removed, in this order")
    func ending() async throws {
        // Checked: where an end is told as soon as it is heard, events and hooks have it before the start.
        let (gate, arrived) = (Latch(), Latch())
        try await EngineFixture.use(
            change: { _, changes in
                changes.engine.afterStep = { step in
                    guard step == .processStarted else { return }
                    arrived.open()
                    try? await gate.wait()
                }
            },
            { fixture in
                let hooks = Recorder()
                await fixture.engine.setHooks(hooks)
                let pod = fixture.sandboxConfig("short")
                let sandbox = try await fixture.run(pod)
                let container = try await fixture.create(
                    fixture.containerConfig("main", ["/bin/sh", "-c", "exit 3"]), in: sandbox, of: pod)
                let events = try await fixture.engine.getContainerEvents(CRIGetEventsRequest())
                let start = Task { try await fixture.start(container) }
                try await arrived.wait()
                try await eventually("its end is heard") {
                    try await fixture.status(container).state == .containerExited
                }
                gate.open()
                try await start.value
                try await eventually("its end is told") { hooks.all.contains("stopped 3") }
                _ = try await fixture.engine.removeContainer(
                    CRIRemoveContainerRequest.with { $0.containerID = container })
                #expect(hooks.all.suffix(4) == ["start", "started", "stopped 3", "removed"])
                var told: [CRIContainerEventType] = []
                for try await event in events where event.containerID == container {
                    told.append(event.containerEventType)
                    if event.containerEventType == .containerDeletedEvent { break }
                }
                #expect(told == [.containerStartedEvent, .containerStoppedEvent, .containerDeletedEvent])
                try await fixture.stopAndRemove(sandbox)
            })
    }

    @Test("nobody sees a pod or a container that hooks have not let pass")
    func unseen() async throws {
        try await EngineFixture.use { fixture in
            let engine = fixture.engine
            let seen = Mutex<[String: Int]>([:])
            let hooks = Recorder { what in
                let pods = try? await engine.listPodSandbox(CRIListPodSandboxRequest()).items.count
                let containers = try? await engine.listContainers(CRIListContainersRequest()).containers.count
                seen.withLock { $0[what] = (pods ?? 99) * 10 + (containers ?? 99) }
            }
            await engine.setHooks(hooks)
            let pod = fixture.sandboxConfig("unseen")
            let sandbox = try await fixture.run(pod)
            _ = try await fixture.create(fixture.containerConfig("main", ["/bin/true"]), in: sandbox, of: pod)
            // No pod, then the pod and no container.
            #expect(seen.withLock { $0["run unseen"] } == 0 && seen.withLock { $0["create"] } == 10)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test(
        "what a hook refuses comes to nothing, leaves nothing, and can be tried again",
        arguments: ["run no", "create", "start"])
    func refused(step: String) async throws {
        try await EngineFixture.use { fixture in
            let hooks = Recorder()
            hooks.refusing.withLock { $0 = step }
            await fixture.engine.setHooks(hooks)
            let pod = fixture.sandboxConfig("no")
            let config = fixture.containerConfig("main", ["/bin/sleep", "1000"])
            if step == "run no" {
                #expect(await refusal { _ = try await fixture.run(pod) }?.message.contains("refused") == true)
                #expect(try await fixture.engine.listPodSandbox(CRIListPodSandboxRequest()).items.isEmpty)
                #expect(try Directory.names(fixture.scratch.file("state/sandboxes")).isEmpty)
                hooks.refusing.withLock { $0 = nil }
            }
            let sandbox = try await fixture.run(pod)
            if step == "create" {
                #expect(
                    await refusal { _ = try await fixture.create(config, in: sandbox, of: pod) }?.message
                        .contains("refused") == true)
                #expect(try Directory.names(fixture.scratch.file("root/containers")).isEmpty)
                hooks.refusing.withLock { $0 = nil }
            }
            let container = try await fixture.create(config, in: sandbox, of: pod)
            if step == "start" {
                #expect(await refusal { try await fixture.start(container) }?.message.contains("refused") == true)
                #expect(try await fixture.status(container).state == .containerCreated)
                hooks.refusing.withLock { $0 = nil }
            }
            try await fixture.start(container)
            #expect(try await fixture.status(container).state == .containerRunning)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("limits that come out of turn reach the container's cgroup, and an eviction its process")
    func outOfTurn() async throws {
        try await EngineFixture.use { fixture in
            await fixture.engine.setHooks(Recorder())
            let pod = fixture.sandboxConfig("turn")
            let sandbox = try await fixture.run(pod)
            let container = try await fixture.create(
                fixture.containerConfig("main", ["/bin/sleep", "1000"]), in: sandbox, of: pod)
            try await fixture.start(container)
            let state = await fixture.engine.hookedState()
            #expect(state.pods.map(\.id) == [sandbox] && state.containers.map(\.id) == [container])
            #expect(state.containers.first?.spec?.process?.args == ["/bin/sleep", "1000"])
            let failed = await fixture.engine.apply([
                ResourceUpdate(container: container, resources: LinuxResources(memory: LinuxMemory(limit: 96 << 20))),
                ResourceUpdate(container: "0000", resources: LinuxResources()),
            ])
            #expect(failed.map(\.container) == ["0000"])
            #expect(try await fixture.status(container).resources.linux.memoryLimitInBytes == 96 << 20)
            let limit = try await fixture.exec(
                container,
                ["/bin/sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"])
            #expect(String(decoding: limit.stdout, as: UTF8.self).contains(String(96 << 20)))
            await fixture.engine.evict([Eviction(container: container, reason: "test")])
            #expect(try await fixture.exited(container).exitCode == 137)
            try await fixture.stopAndRemove(sandbox)
        }
    }
}
