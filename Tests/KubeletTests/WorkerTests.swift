import CRI
import KubeTypes
import Kubelet
import SwiftProtobuf
import TestKit
import Testing

@Suite("A kubelet over a fake runtime") struct WorkerTests {
    @Test func `a manifest becomes a running pod, and its removal takes everything away`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(for: .ready)
                let calls = await node.runtime.calls
                #expect(calls == ["sandbox #0", "create app#0", "start app"])
                let status = try #require(await node.status(kubelet))
                #expect(status.phase == .running)
                #expect(status.podIP.hasPrefix("10.0.0."))
                #expect(status.containerStatuses.first?.restartCount == 0)
                #expect(status.conditions.first { $0.type == "Ready" }?.status == .true)
                let uid = try #require(await kubelet.podStatuses().first?.pod.metadata.uid)
                #expect(uid.count == 32)
                #expect(Files.exists(node.configuration.root + "/pods/\(uid)/etc-hosts"))
                #expect(Files.names(node.configuration.podLogs) == ["default_web-node_\(uid)"])
                let links = Files.names(node.configuration.containerLogs)
                #expect(links.count == 1 && links[0].hasPrefix("web-node_default_app-app-"))

                await node.runtime.forgetCalls()
                try node.remove("web.yaml")
                try await eventually("the clock is waited on for the vanished file") { node.clock.sleepers >= 2 }
                node.clock.advance(by: .seconds(1))
                try await steps.wait(for: .gone)
                #expect(
                    await node.runtime.calls == ["stop app grace=30", "stopSandbox", "remove app#0", "removeSandbox"])
                #expect(await kubelet.podStatuses().isEmpty)
                #expect(Files.names(node.configuration.root + "/pods").isEmpty)
                #expect(Files.names(node.configuration.podLogs).isEmpty)
                #expect(Files.names(node.configuration.containerLogs).isEmpty)
            }
        }
    }

    @Test func `labels and annotations are the kubelet's own`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web", extra: "  terminationGracePeriodSeconds: 5"))
                try await steps.wait(for: .ready)
                let uid = try #require(await kubelet.podStatuses().first?.pod.metadata.uid)
                let sandbox = try #require(await node.runtime.sandboxes.values.first).config
                #expect(sandbox.labels["io.kubernetes.pod.name"] == "web-node")
                #expect(sandbox.labels["io.kubernetes.pod.uid"] == uid)
                #expect(sandbox.annotations["kubernetes.io/config.source"] == "file")
                #expect(sandbox.annotations["kubernetes.io/config.hash"] == uid)
                #expect(sandbox.annotations["kubernetes.io/config.seen"] == "2023-11-14T22:13:20.000000000Z")
                #expect(sandbox.hostname == "web-node")
                #expect(sandbox.linux.cgroupParent == "/kubepods/besteffort/pod\(uid)")
                let container = try #require(await node.runtime.newest("app")).container.config
                #expect(container.labels["io.kubernetes.container.name"] == "app")
                #expect(container.annotations["io.kubernetes.container.restartCount"] == "0")
                #expect(container.annotations["io.kubernetes.pod.terminationGracePeriod"] == "5")
                #expect(container.annotations["io.kubernetes.container.hash"]?.isEmpty == false)
                #expect(container.logPath == "app/0.log")
                #expect(container.mounts.map(\.containerPath) == ["/etc/hosts", "/dev/termination-log"])
                #expect(container.linux.resources.oomScoreAdj == 1000)
                #expect(container.linux.resources.cpuShares == 2)
            }
        }
    }

    @Test func `a pod that is over stays over when its remains are removed`() async throws {
        try await NodeFixture.use { node in
            await node.runtime.set(instantExit: 0, of: "app")
            try await node.run { kubelet, steps in
                try node.drop("job.yaml", NodeFixture.manifest("job", extra: "  restartPolicy: Never"))
                try await steps.wait(for: .finished(phase: "Succeeded"))
                try await eventually("its sandbox is stopped") { await node.runtime.calls.contains("stopSandbox") }
                let sandbox = try #require(await node.runtime.sandboxes.keys.first)
                _ = try await node.runtime.removePodSandbox(
                    CRIRemovePodSandboxRequest.with { $0.podSandboxID = sandbox })
                try await eventually("the kubelet has looked") {
                    node.clock.advance(by: .seconds(60))
                    return await node.status(kubelet)?.phase == .succeeded && node.clock.sleepers >= 1
                }
                #expect(await node.runtime.calls.filter { $0.hasPrefix("sandbox #") } == ["sandbox #0"])
                #expect(await node.status(kubelet)?.containerStatuses.first?.state.terminated?.exitCode == 0)
            }
        }
    }

    @Test func `a crash is restarted at once, then with back-off, and counted`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(for: .ready)
                await node.runtime.exit("app", code: 3)
                try await eventually("it runs again") { await node.runtime.calls.contains("create app#1") }
                try await eventually("running") { await node.runtime.running("app") != nil }
                try await steps.wait(for: .exited(container: "app", code: 3, reason: "Error"))
                await node.runtime.exit("app", code: 4)
                try await steps.wait("CrashLoopBackOff") {
                    if case .failed("app", "CrashLoopBackOff", _) = $0 { true } else { false }
                }
                let status = try #require(await node.status(kubelet)?.containerStatuses.first)
                #expect(status.state.waiting?.reason == "CrashLoopBackOff")
                #expect(status.lastState.terminated?.exitCode == 4)
                #expect(status.restartCount == 1)
                #expect(await !node.runtime.calls.contains("create app#2"))
                node.clock.advance(by: .seconds(10))
                try await eventually("the third one") { await node.runtime.calls.contains("create app#2") }
                try await eventually("the first one's remains go") { await node.runtime.calls.contains("remove app#0") }
            }
        }
    }

    @Test func `an exit that is told while a look is under way is not lost`() async throws {
        try await NodeFixture.use { node in
            await node.runtime.set(instantExit: 1, of: "app")
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait("CrashLoopBackOff") {
                    if case .failed("app", "CrashLoopBackOff", _) = $0 { true } else { false }
                }
                #expect(await node.runtime.calls.filter { $0.hasPrefix("create") } == ["create app#0", "create app#1"])
            }
        }
    }

    @Test func `a changed manifest replaces the pod, and never two run`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(for: .ready)
                let old = try #require(await kubelet.podStatuses().first?.pod.metadata.uid)
                await node.runtime.set(stubborn: ["app"])
                steps.clear()
                try node.drop("web.yaml", NodeFixture.manifest("web", extra: "  hostname: other"))
                try await eventually("the stop is under way") { await node.runtime.calls.contains("stop app grace=30") }
                #expect(await node.runtime.sandboxes.count == 1)
                await node.runtime.letGo("app")
                try await steps.wait(for: .ready)
                let new = try #require(await kubelet.podStatuses().first?.pod.metadata.uid)
                #expect(new != old)
                #expect(await node.runtime.sandboxes.count == 1)
                let calls = await node.runtime.calls
                let removed = try #require(calls.firstIndex(of: "removeSandbox"))
                let second = try #require(calls.lastIndex(of: "sandbox #0"))
                #expect(removed < second)
            }
        }
    }

    @Test func `the same content written again restarts nothing`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(for: .ready)
                try node.drop("web.yaml", "# a comment\n" + NodeFixture.manifest("web"))
                // A second pod shows that the first change has been taken in.
                try node.drop("b.yaml", NodeFixture.manifest("b"))
                try await eventually("both run") { await node.runtime.runningCount() == 2 }
                #expect(await !node.runtime.calls.contains { $0.hasPrefix("stop") })
            }
        }
    }

    @Test func `fifty pods at once all run`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, _ in
                for index in 0..<50 { try node.drop("p\(index).yaml", NodeFixture.manifest("p\(index)")) }
                try await eventually("all run") { await node.runtime.runningCount() == 50 }
                #expect(await node.runtime.calls.count { $0.hasPrefix("sandbox") } == 50)
                #expect(await node.runtime.calls.count { $0.hasPrefix("create") } == 50)
                await kubelet.stopAllPods()
                #expect(await node.runtime.sandboxes.isEmpty)
            }
        }
    }

    @Test func `a liveness probe that fails kills and restarts`() async throws {
        try await NodeFixture.use { node in
            await node.runtime.set(exec: "check", code: 1)
            try await node.run { kubelet, steps in
                try node.drop(
                    "web.yaml",
                    NodeFixture.manifest(
                        "web",
                        containers: """
                              - name: app
                                image: localhost/busybox:1
                                livenessProbe: {exec: {command: [check]}, periodSeconds: 5, failureThreshold: 2}
                            """))
                try await eventually("the first failure") { await node.runtime.calls.contains("exec check") }
                #expect(await !node.runtime.calls.contains { $0.hasPrefix("stop") })
                try await eventually("killed and restarted") {
                    node.clock.advance(by: .seconds(5))
                    return await node.runtime.calls.contains("create app#1")
                }
            }
        }
    }

    @Test func `readiness follows the probe, and startup comes before it`() async throws {
        try await NodeFixture.use { node in
            await node.runtime.set(exec: "started", code: 1)
            try await node.run { kubelet, steps in
                try node.drop(
                    "web.yaml",
                    NodeFixture.manifest(
                        "web",
                        containers: """
                              - name: app
                                image: localhost/busybox:1
                                startupProbe: {exec: {command: [started]}, periodSeconds: 1, failureThreshold: 1000}
                                readinessProbe: {exec: {command: [ready]}, periodSeconds: 1}
                            """))
                try await eventually("startup is asked") { await node.runtime.calls.contains("exec started") }
                #expect(await !node.runtime.calls.contains("exec ready"))
                #expect(await node.status(kubelet)?.containerStatuses.first?.started == false)
                await node.runtime.set(exec: "started", code: 0)
                try await eventually("then it is ready") {
                    node.clock.advance(by: .seconds(1))
                    return steps.steps.contains(.ready)
                }
                await node.runtime.set(exec: "ready", code: 1)
                try await eventually("and not any more") {
                    node.clock.advance(by: .seconds(1))
                    return steps.steps.contains(.unready)
                }
                #expect(await node.runtime.running("app") != nil)
            }
        }
    }

    @Test func `hooks run after the start and before the stop`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop(
                    "web.yaml",
                    NodeFixture.manifest(
                        "web",
                        containers: """
                              - name: app
                                image: localhost/busybox:1
                                lifecycle:
                                  postStart: {exec: {command: [hello]}}
                                  preStop: {exec: {command: [goodbye]}}
                            """))
                try await steps.wait(for: .ready)
                await kubelet.stopAllPods()
                #expect(
                    await node.runtime.calls == [
                        "sandbox #0", "create app#0", "start app", "exec hello", "exec goodbye", "stop app grace=30",
                        "stopSandbox", "remove app#0", "removeSandbox",
                    ])
            }
        }
    }

    @Test func `a job succeeds, stays for its logs, and goes with its manifest`() async throws {
        try await NodeFixture.use { node in
            await node.runtime.set(instantExit: 0, of: "app")
            try await node.run { kubelet, steps in
                try node.drop("job.yaml", NodeFixture.manifest("job", extra: "  restartPolicy: OnFailure"))
                try await steps.wait(for: .finished(phase: "Succeeded"))
                try await eventually("its sandbox is stopped") { await node.runtime.calls.contains("stopSandbox") }
                #expect(await node.runtime.containers.count == 1)
                #expect(await node.status(kubelet)?.phase == .succeeded)
                await kubelet.stopAllPods()
                #expect(await node.runtime.containers.isEmpty)
            }
        }
    }
}
