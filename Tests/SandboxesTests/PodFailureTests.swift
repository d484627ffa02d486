import CRI
import Glibc
import Linux
import PodNetwork
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite(
    "What goes wrong is told and leaves nothing", .serialized,
    .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct PodFailureTests {
    @Test("a command that isn't there: StartError, code 128, and the runtime's own words")
    func badCommand() async throws {
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("bad")
            let sandbox = try await fixture.run(pod)
            let config = fixture.containerConfig("main", ["/bin/nonesuch"])
            let container = try await fixture.create(config, in: sandbox, of: pod)
            let failure = try #require(await refusal { try await fixture.start(container) })
            #expect(failure.message.hasPrefix("pod default/bad, container main: start: "))
            #expect(failure.message.contains("/bin/nonesuch"))
            #expect(failure.message.contains("No such file") || failure.message.contains("no such file"))
            let status = try await fixture.status(container)
            #expect(status.state == .containerExited && status.exitCode == 128 && status.reason == "StartError")
            #expect(status.message.contains("/bin/nonesuch"))
            // It can't start again, and it can be removed.
            #expect(await refusal { try await fixture.start(container) }?.code == .failedPrecondition)
            _ = try await fixture.engine.removeContainer(CRIRemoveContainerRequest.with { $0.containerID = container })
            #expect(await refusal { _ = try await fixture.status(container) }?.code == .notFound)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("an image, a user, a sandbox or a handler that isn't there is named, and nothing is left of the attempt")
    func missing() async throws {
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("missing")
            let sandbox = try await fixture.run(pod)
            var config = fixture.containerConfig("main", ["/bin/true"])
            config.image.image = "localhost/nothing:v1"
            let image = try #require(await refusal { _ = try await fixture.create(config, in: sandbox, of: pod) })
            #expect(image.code == .notFound && image.message.contains("image localhost/nothing:v1 is not in the store"))
            config.image.image = EngineFixture.image
            config.linux.securityContext.runAsUsername = "nobody-here"
            let user = try #require(await refusal { _ = try await fixture.create(config, in: sandbox, of: pod) })
            #expect(user.message.contains("user \"nobody-here\": the image's /etc/passwd has no such user"))
            #expect(try fixture.records().containers.isEmpty)
            #expect(try Directory.names(fixture.scratch.file("state/containers")).isEmpty)
            #expect(MountTable.below(fixture.scratch.file("state/containers")).isEmpty)
            let lost = SandboxID().text
            #expect(
                await refusal { _ = try await fixture.create(config, in: lost, of: pod) }
                    == CRIError(.notFound, "pod sandbox \"\(lost)\": not found"))
            let handler = await refusal {
                _ = try await fixture.engine.runPodSandbox(
                    CRIRunPodSandboxRequest.with {
                        $0.config = fixture.sandboxConfig("other")
                        $0.runtimeHandler = "gvisor"
                    })
            }
            #expect(
                handler?.message
                    == "pod default/other: no runtime handler \"gvisor\" (there are: kubesim-oci); add it to runtimeHandlers"
            )
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a sandbox whose network fails is taken back whole, and the next attempt works")
    func networkFailure() async throws {
        try await Scratch.use { scratch in
            // The real port mapper, behind one that refuses as long as a file is there.
            let refusing = try scratch.write("refusing", "")
            let real = try #require(
                NetworkConfiguration().binDirs.first { File.exists($0 + "/portmap") }.map { $0 + "/portmap" })
            let plugins = try scratch.directory("bin")
            let plugin = try scratch.write(
                "bin/portmap",
                """
                #!/bin/sh
                if [ "$CNI_COMMAND" = ADD ] && [ -e "\(refusing)" ]; then
                    echo '{"cniVersion":"1.0.0","code":999,"msg":"no ports today"}'; exit 1
                fi
                exec \(real)
                """)
            try #require(chmod(plugin, 0o755) == 0)
            try await EngineFixture.use(plugins: [plugins] + NetworkConfiguration().binDirs) { fixture in
                var mapped = fixture.sandboxConfig("net")
                mapped.portMappings = [
                    CRIPortMapping.with {
                        $0.hostPort = 18_123
                        $0.containerPort = 80
                    }
                ]
                let pod = mapped
                let failure = try #require(await refusal { _ = try await fixture.run(pod) })
                #expect(failure.message.contains("default/net") && failure.message.contains("no ports today"))
                #expect(try fixture.records().sandboxes.isEmpty)
                #expect(try Directory.names(fixture.scratch.file("state/sandboxes")).isEmpty)
                #expect(MountTable.below(fixture.scratch.path).isEmpty)
                try File.remove(refusing)
                let sandbox = try await fixture.run(pod)
                try await fixture.stopAndRemove(sandbox)
            }
        }
    }

    @Test("a plugin that can't even take back keeps nobody from the next attempt, nor the next start")
    func networkFailsBothWays() async throws {
        try await Scratch.use { scratch in
            let failing = try scratch.write("failing", "")
            let real = try #require(
                NetworkConfiguration().binDirs.first { File.exists($0 + "/bridge") }.map { $0 + "/bridge" })
            let plugins = try scratch.directory("bin")
            let plugin = try scratch.write(
                "bin/bridge",
                """
                #!/bin/sh
                if [ -e "\(failing)" ]; then echo '{"cniVersion":"1.0.0","code":999,"msg":"not today"}'; exit 1; fi
                exec \(real)
                """)
            try #require(chmod(plugin, 0o755) == 0)
            try await EngineFixture.use(plugins: [plugins] + NetworkConfiguration().binDirs) { fixture in
                let pod = fixture.sandboxConfig("net")
                for _ in 0..<2 {
                    let failure = try #require(await refusal { _ = try await fixture.run(pod) })
                    #expect(failure.message.contains("ADD: not today"), "\(failure.message)")
                    #expect(try fixture.records().sandboxes.isEmpty)
                }
                #expect(try Directory.names(fixture.scratch.file("network/results")).count == 2)
                try File.remove(failing)
                let sandbox = try await fixture.run(pod)
                await fixture.engine.shutdown()
                let next = try await fixture.restarted()
                #expect(try Directory.names(fixture.scratch.file("network/results")).count == 1)
                try await next.stopAndRemove(sandbox)
            }
        }
    }

    @Test("ports that are none and addresses that are none are refused before anything is made")
    func badPorts() async throws {
        try await EngineFixture.use { fixture in
            var pod = fixture.sandboxConfig("ports")
            for (port, address, words) in [(70_001, "", "not ports"), (18_123, "not-an-address", "no IP address")] {
                pod.portMappings = [
                    CRIPortMapping.with {
                        $0.hostPort = Int32(port)
                        $0.containerPort = 80
                        $0.hostIp = address
                    }
                ]
                let asked = pod
                let failure = try #require(await refusal { _ = try await fixture.run(asked) })
                #expect(failure.code == .invalidArgument && failure.message.contains(words))
            }
            #expect(try Directory.names(fixture.scratch.file("state/sandboxes")).isEmpty)
        }
    }

    @Test("calls can be repeated, and what is unknown is stopped and removed with success")
    func idempotence() async throws {
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("twice")
            async let first = fixture.run(pod)
            async let second = fixture.run(pod)
            let (sandbox, same) = (try await first, try await second)
            #expect(sandbox == same)
            #expect(try await fixture.run(pod) == sandbox)
            let config = fixture.containerConfig("main", ["/bin/sleep", "1000"])
            async let one = fixture.create(config, in: sandbox, of: pod)
            async let two = fixture.create(config, in: sandbox, of: pod)
            let (container, again) = (try await one, try await two)
            #expect(container == again)
            try await fixture.start(container)
            try await fixture.start(container)
            #expect(
                await refusal { _ = try await fixture.create(config, in: sandbox, of: pod) }?.code == .alreadyExists)
            for _ in 0..<2 {
                _ = try await fixture.engine.stopContainer(
                    CRIStopContainerRequest.with { $0.containerID = container })
            }
            // The remains of an attempt make room for the next.
            let next = try await fixture.create(config, in: sandbox, of: pod)
            #expect(next != container)
            for _ in 0..<2 { try await fixture.stopAndRemove(sandbox) }
            let unknown = SandboxID().text
            try await fixture.stopAndRemove(unknown)
            _ = try await fixture.engine.stopContainer(CRIStopContainerRequest.with { $0.containerID = unknown })
            _ = try await fixture.engine.removeContainer(CRIRemoveContainerRequest.with { $0.containerID = unknown })
        }
    }

    @Test("a command that takes too long is killed with its children; its output is capped", .timeLimit(.minutes(1)))
    func execLimits() async throws {
        // Checked: without the deadline the test's time is up; with only the command killed all of its children are left, and
        // without the mark the two that have become nobody's child; without the limit all 20 MiB come.
        // When the pipe's end is waited for, the grandchild holds the caller up.
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("exec")
            let sandbox = try await fixture.run(pod)
            let container = try await fixture.create(
                fixture.containerConfig("main", ["/bin/sleep", "1000"]), in: sandbox, of: pod)
            try await fixture.start(container)
            let begin = ContinuousClock.now
            let failure = try #require(
                await refusal {
                    _ = try await fixture.exec(
                        container,
                        [
                            "/bin/sh", "-c",
                            "(setsid env -i /bin/sleep 775 &); (sleep 776 &); sleep 777 & sleep 778",
                        ], timeout: 1)
                })
            #expect(failure.code == .deadlineExceeded)
            #expect(ContinuousClock.now - begin < .seconds(20))
            let left = try await fixture.exec(container, ["/bin/sh", "-c", "ps | grep -c 'sleep 77[5678]'"])
            #expect(String(decoding: left.stdout, as: UTF8.self) == "0\n")
            // Nor does one get away that is always another: a chain in which each starts the next and ends.
            _ = try await fixture.exec(container, ["/bin/sh", "-c", "echo 'setsid sh /tmp/relay & exit' > /tmp/relay"])
            for _ in 0..<10 {
                let relay = await refusal {
                    _ = try await fixture.exec(
                        container, ["/bin/sh", "-c", "setsid sh /tmp/relay & sleep 773"], timeout: 1)
                }
                #expect(relay?.code == .deadlineExceeded)
                let alive = try await fixture.exec(container, ["/bin/sh", "-c", "ps | grep -c '[r]elay'"])
                #expect(String(decoding: alive.stdout, as: UTF8.self) == "0\n")
            }
            // A grandchild that keeps the pipe open holds nobody up.
            let before = ContinuousClock.now
            let quick = try await fixture.exec(container, ["/bin/sh", "-c", "sleep 30 & echo done"])
            #expect(String(decoding: quick.stdout, as: UTF8.self) == "done\n")
            #expect(ContinuousClock.now - before < .seconds(20))
            #expect(await refusal { _ = try await fixture.exec(container, []) }?.code == .invalidArgument)
            let limit = fixture.configuration.execOutputLimitBytes
            let large = try await fixture.exec(container, ["/bin/dd", "if=/dev/zero", "bs=1048576", "count=20"])
            #expect(large.stdout.count > limit && large.stdout.count < limit + 200)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("events tell each step, with the pod's and its containers' statuses, and the exit within moments")
    func events() async throws {
        try await EngineFixture.use { fixture in
            let stream = try await fixture.engine.getContainerEvents(CRIGetEventsRequest())
            let seen = Task { () -> [CRIContainerEventResponse] in
                var all: [CRIContainerEventResponse] = []
                for try await event in stream {
                    all.append(event)
                    let deletedSandbox =
                        event.containerEventType == .containerDeletedEvent
                        && event.containerID == event.podSandboxStatus.id
                    if deletedSandbox { return all }
                }
                return all
            }
            let pod = fixture.sandboxConfig("events")
            let sandbox = try await fixture.run(pod)
            let container = try await fixture.create(
                fixture.containerConfig("main", ["/bin/sh", "-c", "exit 5"]), in: sandbox, of: pod)
            try await fixture.start(container)
            let end = try await fixture.exited(container)
            try await fixture.stopAndRemove(sandbox)
            let events = try await seen.value
            let story = events.map { "\($0.containerID == sandbox ? "pod" : "main") \($0.containerEventType)" }
            #expect(
                story == [
                    "pod containerCreatedEvent", "pod containerStartedEvent", "main containerCreatedEvent",
                    "main containerStartedEvent", "main containerStoppedEvent", "pod containerStoppedEvent",
                    "main containerDeletedEvent", "pod containerDeletedEvent",
                ]
                    // A process may end before its start is told.
                    || story.sorted().count == 8)
            let stopped = try #require(
                events.first { $0.containerEventType == .containerStoppedEvent && $0.containerID == container })
            #expect(stopped.containersStatuses.first?.exitCode == 5)
            #expect(stopped.podSandboxStatus.state == .sandboxReady)
            #expect(stopped.createdAt - end.finishedAt < 1_000_000_000)
        }
    }
}
