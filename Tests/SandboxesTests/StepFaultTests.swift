import CRI
import Glibc
import Linux
import SwiftProtobuf
import Synchronization
import TestKit
import Testing

@testable import Sandboxes

/// Does something once, after one step.
final class Once: Sendable {
    private typealias Body = @Sendable (EngineStep) async throws -> Void
    private let plan = Mutex<(EngineStep, Body)?>(nil)

    func arm(_ step: EngineStep, _ body: @escaping @Sendable (EngineStep) async throws -> Void) {
        plan.withLock { $0 = (step, body) }
    }

    /// Whether it has happened.
    var isSpent: Bool { plan.withLock { $0 == nil } }

    func take(_ step: EngineStep) async throws {
        let body = plan.withLock { plan -> Body? in
            guard let (armed, body) = plan, armed == step else { return nil }
            plan = nil
            return body
        }
        try await body?(step)
    }
}

@Suite(
    "After every step of a pod's life", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct StepFaultTests {
    private func withSteps(_ body: (EngineFixture, Once) async throws -> Void) async throws {
        let once = Once()
        try await EngineFixture.use(
            change: { _, changes in changes.engine.afterStep = { step in try await once.take(step) } },
            { fixture in try await body(fixture, once) })
    }

    /// From nothing to a container that runs.
    private static let making = EngineStep.allCases.prefix { $0 != .stopAsked }

    /// What was to be made and wasn't has left nothing, before anybody asks for it again.
    private static func expectUndone(
        _ call: String, _ before: House, containers: Int, _ fixture: EngineFixture, _ step: EngineStep
    ) async throws {
        switch call {
        case "run": try await House.expect(before, fixture, "\(step.rawValue), before the second call")
        case "create":
            #expect(try fixture.records().containers.count == containers, "\(step.rawValue)")
            let folders = try Directory.names(fixture.scratch.file("root/containers"))
            #expect(folders.count == containers, "\(step.rawValue): \(folders)")
        default: return
        }
    }

    @Test("what fails is told with its pod and undone, the same call works when it is made again, and nothing is left")
    func failure() async throws {
        // Checked: without what undoes a sandbox or a container it is there when the call is made again.
        try await withSteps { fixture, once in
            let neighbour = try await Neighbour.start(fixture)
            let before = try await House.of(fixture)
            for step in EngineStep.allCases {
                once.arm(step) { _ in throw CRIError(.internal, "a fault was asked for") }
                let life = PodLife(fixture, "failing")
                life.afterFailure = { try await Self.expectUndone($0, before, containers: 1, fixture, step) }
                life.isStubborn = step == .processKilled
                try await life.live()
                #expect(once.isSpent, "\(step.rawValue) was never reached")
                #expect(life.failures.count == 1, "\(step.rawValue): \(life.failures)")
                let message = life.failures.first?.error.message ?? ""
                #expect(
                    message.contains("default/failing") && message.hasSuffix("a fault was asked for"),
                    "\(step.rawValue): \(message)")
                try await House.expect(before, fixture, step.rawValue)
            }
            try await neighbour.expectUntouched()
            try await fixture.stopAndRemove(neighbour.sandbox)
        }
    }

    @Test(
        "a caller that goes away is told so; what it began is undone or ended, and the next caller gets what it asks for"
    )
    func cancellation() async throws {
        // Checked: without what undoes a sandbox or a container it is there when the call is made again, and without what
        // undoes a start that can't be; with work that isn't cancelled when its last caller goes nobody is told so.
        try await withSteps { fixture, once in
            let before = try await House.of(fixture)
            for step in EngineStep.allCases {
                let life = PodLife(fixture, "left")
                life.afterFailure = { try await Self.expectUndone($0, before, containers: 0, fixture, step) }
                life.isStubborn = step == .processKilled
                let cancel = life.cancel
                once.arm(step) { _ in cancel.value.withLock { $0 }?() }
                try await life.live()
                #expect(once.isSpent, "\(step.rawValue) was never reached")
                let codes = life.failures.map(\.error.code)
                #expect(codes.allSatisfy { $0 == .cancelled } && codes.count <= 1, "\(step.rawValue): \(life.failures)")
                let isUndone = step != .sandboxReady && step != .containerMade && Self.making.contains(step)
                #expect(!isUndone || codes.count == 1, "\(step.rawValue): nobody was told")
                try await House.expect(before, fixture, step.rawValue)
            }
        }
    }

    @Test("a pod whose removal comes in between is gone, whatever its making was about to do")
    func removalInBetween() async throws {
        try await withSteps { fixture, once in
            let before = try await House.of(fixture)
            for step in Self.making {
                let engine = fixture.engine
                let removal = Held<Task<Void, any Error>?>(nil)
                once.arm(step) { _ in
                    guard let id = await engine.sandboxes.keys.first?.text else { return }
                    // It waits for its turn, so nobody here may wait for it.
                    let task = Task {
                        _ = try await engine.stopPodSandbox(CRIStopPodSandboxRequest.with { $0.podSandboxID = id })
                        _ = try await engine.removePodSandbox(CRIRemovePodSandboxRequest.with { $0.podSandboxID = id })
                    }
                    removal.value.withLock { $0 = task }
                }
                let pod = fixture.sandboxConfig("between")
                // Any of them may find that the pod is gone.
                _ = await refusal {
                    let sandbox = try await fixture.run(pod)
                    let container = try await fixture.create(
                        fixture.containerConfig("main", ["/bin/sleep", "1000"]), in: sandbox, of: pod)
                    try await fixture.start(container)
                }
                #expect(once.isSpent, "\(step.rawValue) was never reached")
                try await removal.value.withLock { $0 }?.value
                try await House.expect(before, fixture, step.rawValue)
            }
        }
    }

    @Test("who asks for the same while it is made joins, at every step")
    func joining() async throws {
        try await withSteps { fixture, once in
            let before = try await House.of(fixture)
            for step in EngineStep.allCases.prefix(while: { $0 != .startRecorded }) {
                let second = Held<Task<String, any Error>?>(nil)
                let pod = fixture.sandboxConfig("joined")
                let config = fixture.containerConfig("main", ["/bin/sleep", "1000"])
                let isSandbox = (EngineStep.allCases.firstIndex(of: step) ?? 0) <= 7
                once.arm(step) { _ in
                    guard let sandbox = await fixture.engine.sandboxes.keys.first?.text else { return }
                    let task = Task {
                        isSandbox ? try await fixture.run(pod) : try await fixture.create(config, in: sandbox, of: pod)
                    }
                    second.value.withLock { $0 = task }
                    // It has joined, or will find what was made.
                    await Task.yield()
                }
                let sandbox = try await fixture.run(pod)
                let container = try await fixture.create(config, in: sandbox, of: pod)
                let other = try await second.value.withLock { $0 }?.value
                #expect(other == (isSandbox ? sandbox : container), "\(step.rawValue)")
                try await fixture.stopAndRemove(sandbox)
                try await House.expect(before, fixture, step.rawValue)
            }
        }
    }
}
