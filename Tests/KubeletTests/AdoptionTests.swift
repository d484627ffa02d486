import CRI
import KubeTypes
import Kubelet
import SwiftProtobuf
import TestKit
import Testing

@Suite("What a kubelet finds that was not looking") struct AdoptionTests {
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
