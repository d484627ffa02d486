import CRI
import Linux
import SwiftProtobuf
import Synchronization
import TestKit
import Testing

@testable import Sandboxes

/// A pod's whole life over the CRI, call by call. A call that fails is made once more, as a kubelet would: what the first
/// one left must not be in the way.
final class PodLife {
    /// Cancels the call that is being made.
    let cancel = Held<(@Sendable () -> Void)?>(nil)
    let fixture: EngineFixture
    let pod: CRIPodSandboxConfig
    var handler = ""
    /// Its container doesn't end when it is asked to.
    var isStubborn = false
    /// Looks at what a call that failed has left, before it is made once more.
    var afterFailure: (_ call: String) async throws -> Void = { _ in }
    private(set) var failures: [(call: String, error: CRIError)] = []
    private(set) var sandbox = ""
    private(set) var container = ""
    private var attempt: UInt32 = 0

    init(_ fixture: EngineFixture, _ name: String, handler: String = "") {
        self.fixture = fixture
        self.handler = handler
        pod = fixture.sandboxConfig(name)
    }

    /// From nothing to nothing.
    func live() async throws {
        try await begin()
        try await end()
    }

    func begin() async throws {
        let (fixture, request) = (fixture, request)
        sandbox = try await twice("run") { try await fixture.engine.runPodSandbox(request).podSandboxID }
        try await makeContainer()
        do {
            let (fixture, container) = (fixture, container)
            try await call { try await fixture.start(container) }
        } catch let error as CRIError {
            failures.append(("start", error))
            // One that was only called off can be started; one that failed has ended.
            if error.code == .cancelled { try await fixture.start(container) } else { try await startAgain() }
        }
        let answer = try await fixture.exec(container, ["/bin/echo", "lives"])
        #expect(String(decoding: answer.stdout, as: UTF8.self) == "lives\n", "\(pod.metadata.name)")
    }

    func end() async throws {
        let engine = fixture.engine
        let (sandbox, container) = (sandbox, container)
        _ = try await twice("stop container") {
            try await engine.stopContainer(
                CRIStopContainerRequest.with {
                    $0.containerID = container
                    $0.timeout = 1
                })
        }
        _ = try await twice("remove container") {
            try await engine.removeContainer(CRIRemoveContainerRequest.with { $0.containerID = container })
        }
        _ = try await twice("stop") {
            try await engine.stopPodSandbox(CRIStopPodSandboxRequest.with { $0.podSandboxID = sandbox })
        }
        _ = try await twice("remove") {
            try await engine.removePodSandbox(CRIRemovePodSandboxRequest.with { $0.podSandboxID = sandbox })
        }
    }

    private var request: CRIRunPodSandboxRequest {
        CRIRunPodSandboxRequest.with {
            $0.config = pod
            $0.runtimeHandler = handler
        }
    }

    private func makeContainer() async throws {
        // The image's stop signal is SIGUSR1.
        let trap = isStubborn ? "trap '' USR1" : "trap exit USR1"
        var config = fixture.containerConfig(
            "main", ["/bin/sh", "-c", "\(trap); while true; do sleep 0.05; done"])
        config.metadata.attempt = attempt
        let (fixture, asked, sandbox, pod) = (fixture, config, sandbox, pod)
        container = try await twice("create") { try await fixture.create(asked, in: sandbox, of: pod) }
    }

    /// What is left of a start that failed is a container that has ended, in a pod that may have, too.
    private func startAgain() async throws {
        let status = try await fixture.engine.podSandboxStatus(
            CRIPodSandboxStatusRequest.with { $0.podSandboxID = sandbox })
        if status.status.state == .sandboxNotready {
            try await fixture.stopAndRemove(sandbox)
            sandbox = try await fixture.engine.runPodSandbox(request).podSandboxID
        }
        attempt += 1
        try await makeContainer()
        try await fixture.start(container)
    }

    private func call<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let known = Latch()
        let task = Task {
            try await known.wait()
            return try await body()
        }
        cancel.value.withLock { $0 = { task.cancel() } }
        known.open()
        defer { cancel.value.withLock { $0 = nil } }
        return try await task.value
    }

    private func twice<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        do {
            return try await call(body)
        } catch let error as CRIError {
            failures.append((name, error))
            try await afterFailure(name)
            return try await body()
        }
    }
}

/// A value that several tasks share.
final class Held<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ initial: sending Value) { value = Mutex(initial) }
}
