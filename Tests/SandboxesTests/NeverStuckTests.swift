import CRI
import Glibc
import Linux
import SwiftProtobuf
import Synchronization
import TestKit
import Testing

@testable import Sandboxes

@Suite(
    "Nothing gets stuck", .serialized, .timeLimit(.minutes(5)),
    .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct NeverStuckTests {
    @Test(
        "pods on a filesystem that hangs fail with the path, hold up nobody else, and can be stopped and removed",
        .enabled(if: HungFilesystem.isPossible, "needs /dev/fuse"))
    func hungHostPath() async throws {
        // Checked: with one lane for looks at the host and for the pod's own files its other creations wait for ever.
        try await EngineFixture.use(
            change: { _, changes in changes.engine.stepDeadline = .seconds(2) },
            { fixture in
                let neighbour = try await Neighbour.start(fixture)
                let hung = try HungFilesystem(at: fixture.scratch.directory("hung"))
                fixture.scratch.atEnd { hung.end() }
                var pods: [(CRIPodSandboxConfig, String)] = []
                for number in 0..<3 {
                    let pod = fixture.sandboxConfig("hung\(number)")
                    pods.append((pod, try await fixture.run(pod)))
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (pod, sandbox) in pods {
                        for number in 0..<24 {
                            group.addTask {
                                var config = fixture.containerConfig("c\(number)", ["/bin/true"])
                                config.mounts = [
                                    CRIMount.with {
                                        $0.hostPath = hung.path + "/data"
                                        $0.containerPath = "/data"
                                    }
                                ]
                                let asked = config
                                let failure = await refusal {
                                    _ = try await fixture.create(asked, in: sandbox, of: pod)
                                }
                                let message = failure?.message ?? ""
                                #expect(failure?.code == .deadlineExceeded, "\(message)")
                                #expect(
                                    message.hasPrefix(
                                        "pod default/\(pod.metadata.name), container c\(number): host path"),
                                    "\(message)")
                            }
                        }
                    }
                    // Meanwhile.
                    try await PodLife(fixture, "quick").live()
                    try await neighbour.expectUntouched()
                    try await group.waitForAll()
                }
                for (_, sandbox) in pods { try await fixture.stopAndRemove(sandbox) }
                try await PodLife(fixture, "after").live()
                hung.end()
                try await fixture.stopAndRemove(neighbour.sandbox)
            })
    }

    private static func both<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            for _ in 0..<4 { group.addTask { try await body() } }
            var values: [Value] = []
            for try await value in group { values.append(value) }
            return values
        }
    }

    private static func run(_ pod: CRIPodSandboxConfig, _ fixture: EngineFixture) async throws -> [String] {
        try await both { try await fixture.run(pod) }
    }

    private static func create(
        _ config: CRIContainerConfig, _ sandbox: String, _ pod: CRIPodSandboxConfig, _ fixture: EngineFixture
    ) async throws -> [String] {
        try await both { try await fixture.create(config, in: sandbox, of: pod) }
    }

    @Test(
        "two clients who ask for the same thing at once both get it, and what contradicts it is refused or waits its turn"
    )
    func twoClients() async throws {
        // Checked: when nobody joins what is under way, there are several sandboxes, or containers.
        try await EngineFixture.use { fixture in
            let before = try await House.of(fixture)
            let pod = fixture.sandboxConfig("both")
            let config = fixture.containerConfig("main", ["/bin/sleep", "1000"])
            for _ in 0..<3 {
                let sandboxes = Set(try await Self.run(pod, fixture))
                let sandbox = try #require(sandboxes.first)
                let containers = Set(try await Self.create(config, sandbox, pod, fixture))
                let container = try #require(containers.first)
                #expect(sandboxes.count == 1 && containers.count == 1)
                _ = try await Self.both { try await fixture.start(container) }
                #expect(await fixture.engine.sandboxes.count == 1)
                #expect(await fixture.engine.containers.count == 1)
                _ = try await Self.both {
                    try await fixture.engine.stopContainer(
                        CRIStopContainerRequest.with {
                            $0.containerID = container
                            $0.timeout = 0
                        })
                }
                _ = try await Self.both {
                    try await fixture.engine.removeContainer(
                        CRIRemoveContainerRequest.with { $0.containerID = container })
                }
                _ = try await Self.both { try await fixture.stopAndRemove(sandbox) }
                try await House.expect(before, fixture)
            }
        }
    }

    @Test("a ready sandbox of the same name and another config is not replaced behind its owner's back")
    func otherConfig() async throws {
        // Checked: without the comparison of the configs the other one gets this sandbox.
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("same")
            let sandbox = try await fixture.run(pod)
            var other = pod
            other.hostname = "other"
            let asked = other
            let failure = try #require(await refusal { _ = try await fixture.run(asked) })
            #expect(failure.code == .alreadyExists && failure.message.contains("made from another config"))
            // What the kubelet resizes is no other config.
            _ = try await fixture.engine.updatePodSandboxResources(
                CRIUpdatePodSandboxResourcesRequest.with {
                    $0.podSandboxID = sandbox
                    $0.resources.cpuShares = 77
                })
            #expect(try await fixture.run(pod) == sandbox)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("one of two who joined may go away: the other still gets what both asked for")
    func oneLeaves() async throws {
        // Checked: when the work ends with the first who leaves, the second is told that he went away.
        let gate = Latch()
        let arrived = Latch()
        try await EngineFixture.use(
            change: { _, changes in
                changes.engine.afterStep = { step in
                    guard step == .pauseCreated else { return }
                    arrived.open()
                    try? await gate.wait()
                }
            },
            { fixture in
                let pod = fixture.sandboxConfig("joined")
                let first = Task { try await fixture.run(pod) }
                try await arrived.wait()
                let second = Task { try await fixture.run(pod) }
                try await eventually("the second has joined") {
                    await fixture.engine.runs.values.first?.callers == 2
                }
                first.cancel()
                // It is let go at once, though the work goes on.
                let failure = await refusal { _ = try await first.value }
                #expect(failure?.code == .cancelled)
                gate.open()
                let sandbox = try await second.value
                #expect(await fixture.engine.sandboxes.keys.map(\.text) == [sandbox])
                try await fixture.stopAndRemove(sandbox)
            })
    }

    @Test("a full disk is named, what runs runs on, pods can be taken away, and with room again all goes on")
    func fullDisk() async throws {
        // Checked: without the room that the state's log has in advance, pods can't be taken away.
        try await EngineFixture.use(
            change: { scratch, changes in
                for name in ["root", "images"] {
                    let path = try scratch.directory(name)
                    try #require(mount("tmpfs", path, "tmpfs", 0, "size=24m,mode=711") == 0)
                }
                changes.engine.stepDeadline = .seconds(10)
            },
            { fixture in
                let neighbour = try await Neighbour.start(fixture)
                let doomed = PodLife(fixture, "doomed")
                try await doomed.begin()
                for name in ["root", "images"] {
                    _ = try await Command([
                        "dd", "if=/dev/zero", "of=\(fixture.scratch.file(name))/ballast", "bs=64k",
                    ]).run()
                    _ = try await Command([
                        "dd", "if=/dev/zero", "of=\(fixture.scratch.file(name))/ballast2", "bs=1k",
                    ]).run()
                }
                let pod = fixture.sandboxConfig("late")
                let failure = await refusal {
                    let sandbox = try await fixture.run(pod)
                    _ = try await fixture.create(
                        fixture.containerConfig("main", ["/bin/true"]), in: sandbox, of: pod)
                }
                #expect(failure?.message.contains("default/late") == true, "\(failure as Any)")
                #expect(failure?.message.contains("No space left on device") == true, "\(failure as Any)")
                try await neighbour.expectUntouched()
                try await doomed.end()
                #expect(doomed.failures.isEmpty, "\(doomed.failures)")
                for name in ["root", "images"] {
                    for file in ["ballast", "ballast2"] {
                        try File.remove("\(fixture.scratch.file(name))/\(file)")
                    }
                }
                let life = PodLife(fixture, "late")
                try await life.live()
                #expect(life.failures.isEmpty, "\(life.failures)")
                try await neighbour.expectUntouched()
                try await fixture.stopAndRemove(neighbour.sandbox)
                for sandbox in await fixture.engine.sandboxes.keys { try await fixture.stopAndRemove(sandbox.text) }
            })
    }
}
