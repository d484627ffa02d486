import CRI
import Glibc
import Linux
import Logging
import NRI
import OCISpec
import SwiftProtobuf
import Synchronization
import TTRPC
import TestKit
import Testing

@testable import Sandboxes

@Suite("NRI plugins over their socket")
struct PluginServiceTests {
    @Test("a plugin says who it is, hears what there is, then every step that it asked for, in order")
    func life() async throws {
        try await ServiceFixture.use { fixture async throws in
            fixture.node.state.withLock { $0 = HookedState(pods: [fixture.pod], containers: [fixture.container()]) }
            let seen = Mutex<NRISynchronizeRequest?>(nil)
            let plugin = try await TestPlugin.connect(fixture.path, name: "watch") {
                (method, payload) throws(CallFailure) in
                if method == "Synchronize" {
                    seen.withLock { $0 = try? NRISynchronizeRequest(serializedBytes: payload) }
                }
                return []
            }
            try await eventually("it has joined") { seen.withLock { $0 } != nil }
            let state = try #require(seen.withLock { $0 })
            #expect(state.pods.map(\.id) == ["p1"] && state.containers.map(\.id) == ["c1"] && !state.more)
            #expect(state.pods[0].namespace == "team" && state.pods[0].ips == ["10.1.1.1"])
            #expect(
                state.containers[0].args == ["/bin/sh"]
                    && state.containers[0].linux.resources.memory.limit.value == 1 << 20)
            let (pod, container) = (fixture.pod, fixture.container())
            try await fixture.service.run(pod)
            _ = try await fixture.service.create(container, in: pod)
            await fixture.service.created(container, in: pod)
            try await fixture.service.start(container, in: pod)
            await fixture.service.started(container, in: pod)
            _ = try await fixture.service.update(container, in: pod, LinuxResources())
            await fixture.service.updated(container, in: pod)
            _ = await fixture.service.stopped(container, in: pod)
            await fixture.service.removed(container, in: pod)
            await fixture.service.stopped(pod)
            await fixture.service.removed(pod)
            #expect(
                plugin.methods == [
                    "Configure", "Synchronize", "RunPodSandbox", "CreateContainer", "ValidateContainerAdjustment",
                    "PostCreateContainer", "StartContainer", "PostStartContainer", "UpdateContainer",
                    "PostUpdateContainer", "StopContainer", "RemoveContainer", "StopPodSandbox", "RemovePodSandbox",
                ])
            await fixture.service.end()
            #expect(plugin.methods.last == "Shutdown")
        }
    }

    @Test("plugins change what is made, each after those of lower index, and see what these have changed")
    func adjustments() async throws {
        try await ServiceFixture.use { fixture async throws in
            let second = try await TestPlugin.connect(
                fixture.path, index: "20", name: "second", events: [.createContainer]
            ) { (method, payload) throws(CallFailure) in
                guard method == "CreateContainer",
                    let request = try? NRICreateContainerRequest(serializedBytes: payload)
                else { return [] }
                // It sees the first one's work.
                guard request.container.env.contains("B=3"), request.container.annotations["new"] == "2" else {
                    throw CallFailure(.unknown, "it comes too early: \(request.container.env)")
                }
                return
                    (try? NRICreateContainerResponse.with {
                        $0.adjust.mounts = [.with { $0.destination = "-/data" }]
                        $0.adjust.linux.oomScoreAdj.value = 500
                        $0.adjust.rlimits = [
                            .with {
                                $0.type = "RLIMIT_NOFILE"
                                $0.hard = 100
                                $0.soft = 50
                            }
                        ]
                        $0.update = [
                            .with {
                                $0.containerID = "other"
                                $0.linux.resources.cpu.shares.value = 512
                            }
                        ]
                    }.serializedBytes()) ?? []
            }
            let first = try await TestPlugin.connect(
                fixture.path, index: "10", name: "first", events: [.createContainer],
                answer: ServiceFixture.adjusting { response in
                    response.adjust.annotations = ["-old": "", "new": "2"]
                    response.adjust.env = [
                        .with {
                            $0.key = "B"
                            $0.value = "3"
                        }, .with { $0.key = "-A" },
                    ]
                    response.adjust.hooks.prestart = [.with { $0.path = "/bin/true" }]
                    response.adjust.linux.resources.memory.limit.value = 2 << 20
                    response.adjust.linux.devices = [
                        .with {
                            $0.path = "/dev/x"
                            $0.type = "c"
                            $0.major = 1
                            $0.minor = 3
                        }
                    ]
                    response.adjust.linux.sysctl = ["net.core.somaxconn": "9"]
                })
            for plugin in [first, second] {
                try await eventually("\(plugin.name) has joined") { plugin.methods.contains("Synchronize") }
            }
            let change = try await fixture.service.create(fixture.container(), in: fixture.pod)
            let spec = change.spec
            #expect(spec.annotations == ["new": "2"] && spec.mounts == [])
            #expect(spec.process?.env == ["B=3"] && spec.process?.oomScoreAdj == 500)
            #expect(spec.process?.rlimits == [POSIXRlimit(type: "RLIMIT_NOFILE", hard: 100, soft: 50)])
            #expect(spec.hooks?.prestart == [Hook(path: "/bin/true")])
            #expect(spec.linux?.resources?.memory?.limit == 2 << 20)
            #expect(spec.linux?.devices.map(\.path) == ["/dev/x"])
            #expect(spec.linux?.resources?.devices.last?.allow == true)
            #expect(spec.linux?.sysctl == ["net.core.somaxconn": "9"])
            #expect(
                change.updates == [
                    ResourceUpdate(container: "other", resources: LinuxResources(cpu: LinuxCPU(shares: 512)))
                ])
        }
    }

    @Test(
        "two plugins that set the same are an error that names both, unless the later takes it away first",
        arguments: [true, false])
    func conflict(takesAway: Bool) async throws {
        try await ServiceFixture.use { fixture async throws in
            func plugin(_ index: String, _ name: String, _ value: String, takesAway: Bool) async throws -> TestPlugin {
                try await TestPlugin.connect(
                    fixture.path, index: index, name: name, events: [.createContainer],
                    answer: ServiceFixture.adjusting { response in
                        response.adjust.annotations = takesAway ? ["-x": "", "x": value] : ["x": value]
                    })
            }
            let one = try await plugin("01", "one", "1", takesAway: false)
            let two = try await plugin("02", "two", "2", takesAway: takesAway)
            for plugin in [one, two] {
                try await eventually("\(plugin.name) has joined") { plugin.methods.contains("Synchronize") }
            }
            if takesAway {
                let change = try await fixture.service.create(fixture.container(), in: fixture.pod)
                #expect(change.spec.annotations["x"] == "2")
            } else {
                let error = await #expect(throws: CRIError.self) {
                    try await fixture.service.create(fixture.container(), in: fixture.pod)
                }
                #expect(
                    error?.message.contains("plugins 01-one and 02-two both set annotations x of container c1") == true,
                    "\(error?.message ?? "")")
            }
        }
    }

    @Test("what a plugin says against it fails the step, and a plugin that judges has the last word")
    func refusal() async throws {
        try await ServiceFixture.use { fixture async throws in
            let plugin = try await TestPlugin.connect(fixture.path, name: "no") { (method, _) throws(CallFailure) in
                if method == "RunPodSandbox" { throw CallFailure(.unknown, "not today") }
                if method == "ValidateContainerAdjustment" {
                    return
                        (try? NRIValidateContainerAdjustmentResponse.with {
                            $0.reject = true
                            $0.reason = "too much"
                        }.serializedBytes()) ?? []
                }
                return []
            }
            try await eventually("it has joined") { plugin.methods.contains("Synchronize") }
            let run = await #expect(throws: CRIError.self) { try await fixture.service.run(fixture.pod) }
            #expect(run?.message == "NRI plugin 10-no: RunPodSandbox: not today")
            let create = await #expect(throws: CRIError.self) {
                try await fixture.service.create(fixture.container(), in: fixture.pod)
            }
            #expect(create?.message.contains("it rejects what plugins asked for: too much") == true)
        }
    }

    @Test("a plugin that doesn't answer is let go, and the pod goes on", .timeLimit(.minutes(1)))
    func hang() async throws {
        // Checked: without the deadline of a call the pod waits until the test's time is up.
        try await ServiceFixture.use { fixture async throws in
            let plugin = try await TestPlugin.connect(fixture.path, name: "slow") { (method, _) throws(CallFailure) in
                // Cancelled with the test's end.
                if method == "RunPodSandbox" { try? await Task.sleep(for: .seconds(3600)) }
                return []
            }
            let other = try await TestPlugin.connect(fixture.path, index: "90", name: "other")
            for one in [plugin, other] {
                try await eventually("\(one.name) has joined") { one.methods.contains("Synchronize") }
            }
            try await fixture.service.run(fixture.pod)
            #expect(other.methods.last == "RunPodSandbox")
            try await eventually("it is let go") { await plugin.isClosed }
            try await fixture.service.run(fixture.pod)
            #expect(plugin.methods.filter { $0 == "RunPodSandbox" }.count == 1)
        }
    }

    @Test("bytes that are no message end that connection, and no other")
    func nonsense() async throws {
        // Checked: without the look at a piece's length the connection is kept until it should have said who it is.
        try await ServiceFixture.use { fixture async throws in
            let good = try await TestPlugin.connect(fixture.path, name: "good")
            try await eventually("it has joined") { good.methods.contains("Synchronize") }
            let socket = try UnixSocket.connect(to: fixture.path, .stream)
            let began = ContinuousClock.now
            try socket.send([0, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3])
            let message = try socket.receive()
            #expect(message.bytes.isEmpty)
            // One that is silent is let go after five seconds.
            #expect(ContinuousClock.now - began < .seconds(4))
            try await fixture.service.run(fixture.pod)
            #expect(good.methods.last == "RunPodSandbox")
        }
    }

    @Test(
        "names and indexes that are none are refused", arguments: [("1", "x"), ("ab", "x"), ("10", ""), ("10", "a/b")])
    func names(index: String, name: String) async throws {
        try await ServiceFixture.use { fixture async throws in
            await #expect(throws: CallFailure.self) {
                try await TestPlugin.connect(fixture.path, index: index, name: name)
            }
        }
    }

    @Test("a pod that comes while a plugin is told what there is waits, and the plugin hears of it after")
    func joining() async throws {
        // Checked: when the wait for that is taken out it hears of the pod first, and when it is among the plugins only after
        // it was told, it never does.
        try await ServiceFixture.use { fixture async throws in
            let (began, go) = (fixture.scratch.file("began"), AsyncStream.makeStream(of: Void.self))
            let plugin = try await TestPlugin.connect(fixture.path, name: "late") { (method, _) throws(CallFailure) in
                if method == "Synchronize" {
                    try? AtomicFile.write(began, "")
                    for await _ in go.stream { break }
                }
                return []
            }
            try await eventually("it is being told") { File.exists(began) }
            let service = fixture.service
            let running = Task { try await service.run(fixture.pod) }
            for _ in 0..<30 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(plugin.methods == ["Configure", "Synchronize"])
            go.continuation.yield()
            try await running.value
            #expect(plugin.methods == ["Configure", "Synchronize", "RunPodSandbox"])
        }
    }

    @Test("a plugin changes and ends containers out of turn, and hears what could not be done")
    func unsolicited() async throws {
        try await ServiceFixture.use { fixture async throws in
            let plugin = try await TestPlugin.connect(fixture.path, name: "busy")
            try await eventually("it has joined") { plugin.methods.contains("Synchronize") }
            let request = NRIUpdateContainersRequest.with {
                $0.update = ["c1", "unknown"].map { id in
                    .with {
                        $0.containerID = id
                        $0.linux.resources.cpu.cpus = "0"
                    }
                }
                $0.evict = [
                    .with {
                        $0.containerID = "c2"
                        $0.reason = "too loud"
                    }
                ]
            }
            let answer = try NRIUpdateContainersResponse(
                serializedBytes: await plugin.call("UpdateContainers", request))
            #expect(answer.failed.map(\.containerID) == ["unknown"])
            #expect(fixture.node.updates.withLock { $0.map(\.resources.cpu?.cpus) } == ["0", "0"])
            #expect(fixture.node.evictions.withLock { $0 } == [Eviction(container: "c2", reason: "too loud")])
        }
    }

    @Test("limits that are to change pass by the plugins, who may change them and others'")
    func update() async throws {
        try await ServiceFixture.use { fixture async throws in
            let plugin = try await TestPlugin.connect(
                fixture.path, name: "limits", events: [.updateContainer]
            ) { (method, payload) throws(CallFailure) in
                guard method == "UpdateContainer",
                    let request = try? NRIUpdateContainerRequest(serializedBytes: payload)
                else { return [] }
                return
                    (try? NRIUpdateContainerResponse.with {
                        $0.update = [
                            .with {
                                $0.containerID = "c1"
                                $0.linux.resources.memory.limit.value = request.linuxResources.memory.limit.value * 2
                            },
                            .with {
                                $0.containerID = "c9"
                                $0.linux.resources.cpu.shares.value = 2
                            },
                        ]
                    }.serializedBytes()) ?? []
            }
            try await eventually("it has joined") { plugin.methods.contains("Synchronize") }
            let change = try await fixture.service.update(
                fixture.container(), in: fixture.pod,
                LinuxResources(memory: LinuxMemory(limit: 100), cpu: LinuxCPU(shares: 7)))
            #expect(change.resources.memory?.limit == 200 && change.resources.cpu?.shares == 7)
            #expect(change.updates.map(\.container) == ["c9"])
        }
    }

    @Test("the socket is the node's own user's alone, and a second runtime is refused")
    func socket() async throws {
        try await ServiceFixture.use { fixture async throws in
            #expect(try FileStatus(fixture.path).permissions == 0o600)
            #expect(try FileStatus(fixture.scratch.file("nri")).permissions == 0o700)
            let other = PluginService(
                path: fixture.path, runtime: "x", version: "1", node: fixture.node,
                logger: .init(label: "test"))
            let error = await #expect(throws: CRIError.self) { try await other.begin() }
            #expect(error?.message.contains("another runtime listens for plugins") == true)
        }
    }

    @Test("what there is goes out in messages that a plugin can take in")
    func chunks() async throws {
        try await ServiceFixture.use { fixture async throws in
            var big = fixture.container()
            big.spec?.annotations["big"] = String(repeating: "x", count: 1 << 20)
            let containers = (0..<9).map { index in
                var one = big
                one.id = "c\(index)"
                return one
            }
            fixture.node.state.withLock { $0 = HookedState(pods: [fixture.pod], containers: containers) }
            let seen = Mutex<[NRISynchronizeRequest]>([])
            _ = try await TestPlugin.connect(fixture.path, name: "big") { (method, payload) throws(CallFailure) in
                guard method == "Synchronize", let request = try? NRISynchronizeRequest(serializedBytes: payload)
                else { return [] }
                seen.withLock { $0.append(request) }
                return (try? NRISynchronizeResponse.with { $0.more = request.more }.serializedBytes()) ?? []
            }
            try await eventually("all has come") { seen.withLock { $0.last.map { !$0.more } ?? false } }
            let all = seen.withLock { $0 }
            #expect(all.count >= 3 && all.dropLast().allSatisfy(\.more))
            #expect(all.flatMap(\.containers).map(\.id) == (0..<9).map { "c\($0)" })
        }
    }
}
