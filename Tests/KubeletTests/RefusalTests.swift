import CRI
import KubeTypes
import Kubelet
import SwiftProtobuf
import TestKit
import Testing

@Suite("What keeps a pod from running is said") struct RefusalTests {
    @Test func `of two pods that want one port of the host the second waits, says so, and starts when it is free`()
        async throws
    {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                func manifest(_ name: String, _ port: String) -> String {
                    NodeFixture.manifest(
                        name, containers: "  - {name: \(name), image: 'localhost/busybox:1', ports: [\(port)]}")
                }
                try node.drop("a.yaml", manifest("a", "{containerPort: 80, hostPort: 8080}"))
                try await steps.wait(for: .ready)
                try node.drop("b.yaml", manifest("b", "{containerPort: 81, hostPort: 8080, hostIP: 127.0.0.1}"))
                try node.drop("c.yaml", manifest("c", "{containerPort: 81, hostPort: 8080, protocol: UDP}"))
                try await steps.wait(for: .started(container: "c"))
                let told =
                    "host port 127.0.0.1:8080/TCP is taken by pod default/a-node: this pod starts when that one is gone"
                try await steps.wait(for: .failed(container: nil, reason: "NodePorts", message: told))
                let status = try #require(await node.status(kubelet, "b-node"))
                #expect(status.phase == .pending && status.reason == "NodePorts" && status.message == told)
                try node.remove("a.yaml")
                try await eventually("the other starts") {
                    node.clock.advance(by: .seconds(1))
                    return steps.steps.contains(.started(container: "b"))
                }
            }
        }
    }

    @Test func `a missing image is named, and waited for without polling`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop(
                    "web.yaml",
                    NodeFixture.manifest(
                        "web",
                        containers: "  - {name: app, image: 'localhost/none:latest', imagePullPolicy: IfNotPresent}"))
                try await steps.wait("ErrImagePull") {
                    if case .failed("app", "ErrImagePull", let text) = $0 {
                        text.contains("localhost/none:latest") && text.contains("no registry is configured")
                    } else {
                        false
                    }
                }
                try await eventually("the status says so") {
                    await node.status(kubelet)?.containerStatuses.first?.state.waiting?.reason == "ImagePullBackOff"
                }
                await node.runtime.addImage("localhost/none:latest")
                kubelet.noticeImagesChanged()
                try await steps.wait(for: .ready)
            }
        }
    }

    @Test func `an image that may never be pulled is asked for by name`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop(
                    "web.yaml",
                    NodeFixture.manifest(
                        "web", containers: "  - {name: app, image: 'localhost/none:latest', imagePullPolicy: Never}"))
                try await steps.wait("ErrImageNeverPull") {
                    if case .failed("app", "ErrImageNeverPull", let text) = $0 {
                        text.contains("localhost/none:latest")
                    } else {
                        false
                    }
                }
                #expect(await !node.runtime.calls.contains { $0.hasPrefix("pull") })
            }
        }
    }

    @Test func `a container that may not be root and would be is refused by name`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop(
                    "web.yaml",
                    NodeFixture.manifest(
                        "web",
                        containers:
                            "  - {name: app, image: 'localhost/busybox:1', securityContext: {runAsNonRoot: true}}"))
                try await steps.wait("CreateContainerConfigError") {
                    if case .failed("app", "CreateContainerConfigError", let text) = $0 {
                        text.contains("image will run as root")
                    } else {
                        false
                    }
                }
            }
        }
    }

    @Test func `a failing call is told once and tried again`() async throws {
        try await NodeFixture.use { node in
            await node.runtime.fail("sandbox", CRIError(.internal, "no address left in 10.0.0.0/24"))
            await node.runtime.fail("create", CRIError(.internal, "disk is full"))
            await node.runtime.fail("start", CRIError(.internal, "exec: no such file"))
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(
                    for: .failed(
                        container: nil, reason: "FailedCreatePodSandBox", message: "no address left in 10.0.0.0/24"))
                node.clock.advance(by: .seconds(10))
                try await steps.wait(
                    for: .failed(container: "app", reason: "CreateContainerError", message: "disk is full"))
                node.clock.advance(by: .seconds(10))
                try await steps.wait(
                    for: .failed(container: "app", reason: "RunContainerError", message: "exec: no such file"))
                node.clock.advance(by: .seconds(10))
                try await steps.wait(for: .ready)
                let calls = await node.runtime.calls
                #expect(calls.contains("remove app#0"))
                #expect(calls.filter { $0.hasPrefix("create") } == ["create app#0", "create app#0", "create app#1"])
            }
        }
    }

    @Test func `stopping is tried again until it succeeds`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(for: .ready)
                await node.runtime.fail("stop", CRIError(.unavailable, "shim is busy"))
                await node.runtime.fail("stopSandbox", CRIError(.unavailable, "netns is busy"))
                let stopping = Task { await kubelet.stopAllPods() }
                try await steps.wait(for: .failed(container: nil, reason: "FailedKillPod", message: "shim is busy"))
                node.clock.advance(by: .seconds(1))
                try await steps.wait(for: .failed(container: nil, reason: "FailedKillPod", message: "netns is busy"))
                node.clock.advance(by: .seconds(1))
                await stopping.value
                #expect(await node.runtime.sandboxes.isEmpty)
            }
        }
    }

    @Test func `a bad file is refused with its reasons and mended later`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("good.yaml", NodeFixture.manifest("good"))
                try node.drop(
                    "bad.yaml",
                    "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec:\n  containers: []\n  nonsense: 1\n")
                try await eventually("refused") { await kubelet.refusals().count == 1 }
                let refusal = try #require(await kubelet.refusals().first)
                #expect(refusal.file == node.configuration.manifests + "/bad.yaml")
                #expect(refusal.reasons.contains { $0.hasPrefix("6:") && $0.contains("nonsense") })
                try await steps.wait(for: .ready)
                try node.drop("bad.yaml", NodeFixture.manifest("bad"))
                try await eventually("both run") { await node.runtime.runningCount() == 2 }
                #expect(await kubelet.refusals().isEmpty)
            }
        }
    }

    @Test func `fields that are not done are named on the pod`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web", extra: "  runtimeClassName: gvisor"))
                try await steps.wait(for: .notDone(fields: ["spec.runtimeClassName"]))
                try await steps.wait(for: .ready)
                let condition = await node.status(kubelet)?.conditions.first { $0.type == "kubesim.io/FieldsNotDone" }
                #expect(condition?.message.contains("spec.runtimeClassName") == true)
            }
        }
    }
}
