import CRI
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("A pod's life", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct PodLifeTests {
    @Test("a pod of many containers is taken away in one call, and by many calls at once") func manyContainers()
        async throws
    {
        // Checked: when all are removed at once, and the pod's threads refuse more than 64 that wait, it stays.
        try await EngineFixture.use { fixture in
            for together in [true, false] {
                let pod = fixture.sandboxConfig("many")
                let sandbox = try await fixture.run(pod)
                var containers: [String] = []
                for number in 0..<400 {
                    let config = fixture.containerConfig("c\(number)", ["/bin/sleep", "1000"])
                    containers.append(try await fixture.create(config, in: sandbox, of: pod))
                }
                if !together {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for container in containers {
                            group.addTask {
                                _ = try await fixture.engine.removeContainer(
                                    CRIRemoveContainerRequest.with { $0.containerID = container })
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                try await fixture.stopAndRemove(sandbox)
            }
        }
    }

    @Test("a container runs, prints, is asked, exits and leaves nothing")
    func wholeLife() async throws {
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("life")
            let clock = ContinuousClock()
            let begin = clock.now
            let sandbox = try await fixture.run(pod)
            let made = clock.now
            let config = fixture.containerConfig(
                "main",
                ["/bin/sh", "-c", "trap 'exit 7' USR1; echo hello; echo oops >&2; while true; do sleep 0.1; done"])
            let container = try await fixture.create(config, in: sandbox, of: pod)
            let created = clock.now
            try await fixture.start(container)
            let started = clock.now
            print("run \(made - begin), create \(created - made), start \(started - created)")
            #expect(try await fixture.status(container).state == .containerRunning)
            try await eventually("the log has both lines") {
                try fixture.log("life", "main").split(separator: "\n").count == 2
            }
            let log = try fixture.log("life", "main")
            #expect(log.contains(" stdout F hello\n") && log.contains(" stderr F oops\n"))
            let answer = try await fixture.exec(container, ["/bin/sh", "-c", "hostname; echo bad >&2; exit 3"])
            #expect(String(decoding: answer.stdout, as: UTF8.self) == "life\n")
            #expect(String(decoding: answer.stderr, as: UTF8.self) == "bad\n")
            #expect(answer.exitCode == 3)
            let status = try await fixture.engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with {
                    $0.podSandboxID = sandbox
                    $0.verbose = true
                })
            #expect(status.status.network.ip.hasPrefix("10.207."))
            _ = try await fixture.engine.stopContainer(
                CRIStopContainerRequest.with {
                    $0.containerID = container
                    $0.timeout = 10
                })
            let end = try await fixture.status(container)
            #expect(end.state == .containerExited)
            #expect(end.exitCode == 7)
            #expect(end.reason == "Error")
            try await fixture.stopAndRemove(sandbox)
            let records = try fixture.records()
            #expect(records.containers.isEmpty && records.sandboxes.isEmpty)
            #expect(try Directory.names(fixture.scratch.file("state/containers")).isEmpty)
            #expect(try Directory.names(fixture.scratch.file("state/sandboxes")).isEmpty)
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
        }
    }
}
