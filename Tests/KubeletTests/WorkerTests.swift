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

    @Test func `the next kubelet adopts what runs and restarts nothing`() async throws {
        try await NodeFixture.use { node in
            try node.drop("web.yaml", NodeFixture.manifest("web"))
            try await node.run { _, steps in try await steps.wait(for: .ready) }
            await node.runtime.forgetCalls()
            try await node.run { kubelet, steps in
                try await steps.wait(for: .ready)
                #expect(steps.steps.contains(.adopted))
                #expect(await node.status(kubelet)?.containerStatuses.first?.restartCount == 0)
            }
            #expect(await node.runtime.calls.isEmpty)
        }
    }

    @Test func `an exit while no kubelet looked is seen with its code`() async throws {
        try await NodeFixture.use { node in
            try node.drop("job.yaml", NodeFixture.manifest("job", extra: "  restartPolicy: Never"))
            try await node.run { _, steps in try await steps.wait(for: .ready) }
            await node.runtime.exit("app", code: 42)
            try await node.run { kubelet, steps in
                try await steps.wait(for: .finished(phase: "Failed"))
                let status = try #require(await node.status(kubelet)?.containerStatuses.first)
                #expect(status.state.terminated?.exitCode == 42)
                #expect(status.restartCount == 0)
            }
        }
    }

    @Test func `after a reboot each pod runs once again`() async throws {
        try await NodeFixture.use { node in
            try node.drop("web.yaml", NodeFixture.manifest("web"))
            try await node.run { _, steps in try await steps.wait(for: .ready) }
            await node.runtime.killSandboxes()
            await node.runtime.forgetCalls()
            try await node.run { kubelet, steps in
                try await steps.wait(for: .ready)
                #expect(await node.runtime.runningCount() == 1)
                let calls = await node.runtime.calls
                #expect(Array(calls.prefix(4)) == ["stopSandbox", "sandbox #1", "create app#1", "start app"])
                #expect(await node.status(kubelet)?.containerStatuses.first?.lastState.terminated?.exitCode == 137)
            }
        }
    }

    @Test func `a pod whose manifest went while nobody looked is stopped, others' pods are not`() async throws {
        try await NodeFixture.use { node in
            try node.drop("web.yaml", NodeFixture.manifest("web", extra: "  terminationGracePeriodSeconds: 9"))
            try await node.run { _, steps in try await steps.wait(for: .ready) }
            try node.remove("web.yaml")
            await node.runtime.forgetCalls()
            var foreign = CRIPodSandboxConfig()
            foreign.labels = [
                "io.kubernetes.pod.uid": "u", "io.kubernetes.pod.name": "web-other", "io.kubernetes.pod.namespace": "x",
            ]
            foreign.annotations = ["kubernetes.io/config.source": "file"]
            await node.runtime.plant(foreign, containers: ["foreign"])
            await node.runtime.plant(CRIPodSandboxConfig(), containers: ["byhand"])
            try await node.run { _, steps in
                try await steps.wait(for: .gone)
                #expect(
                    await node.runtime.calls == ["stop app grace=9", "stopSandbox", "remove app#0", "removeSandbox"])
                #expect(await node.runtime.running("foreign") != nil)
                #expect(await node.runtime.running("byhand") != nil)
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

    @Test func `stopAllPods leaves nothing, also when the kubelet has ended before`() async throws {
        try await NodeFixture.use { node in
            for index in 0..<5 { try node.drop("p\(index).yaml", NodeFixture.manifest("p\(index)")) }
            try await node.run { kubelet, _ in
                try await eventually("all run") { await node.runtime.runningCount() == 5 }
            }
            let late = Kubelet(
                configuration: node.configuration, runtime: node.runtime, images: node.runtime,
                logger: NodeFixture.logger, clock: node.clock)
            await late.stopAllPods()
            #expect(await node.runtime.sandboxes.isEmpty)
            #expect(await node.runtime.containers.isEmpty)
            #expect(Files.names(node.configuration.root + "/pods").isEmpty)
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

    @Test func `without an event stream the runtime is listed each second`() async throws {
        try await NodeFixture.use { node in
            await node.runtime.set(hasEvents: false)
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(for: .ready)
                await node.runtime.exit("app", code: 1)
                try await eventually("the next list finds it") {
                    node.clock.advance(by: .seconds(1))
                    return await node.runtime.calls.contains("create app#1")
                }
            }
        }
    }

    @Test func `an event stream that breaks is opened again and what was missed is found`() async throws {
        try await NodeFixture.use { node in
            try await node.run { kubelet, steps in
                try node.drop("web.yaml", NodeFixture.manifest("web"))
                try await steps.wait(for: .ready)
                await node.runtime.breakEvents()
                await node.runtime.exit("app", code: 1)
                try await eventually("it is found") {
                    node.clock.advance(by: .seconds(1))
                    return await node.runtime.calls.contains("create app#1")
                }
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

    @Test func `the directories of pods that nobody knows are cleared at the start`() async throws {
        try await NodeFixture.use { node in
            _ = try node.scratch.directory("root/pods/deadbeef/volumes")
            _ = try node.scratch.directory("logs/pods/default_old-node_deadbeef/app")
            try await node.run { _, _ in
                try await eventually("cleared") { Files.names(node.configuration.root + "/pods").isEmpty }
                try await eventually("logs too") { Files.names(node.configuration.podLogs).isEmpty }
            }
        }
    }
}
