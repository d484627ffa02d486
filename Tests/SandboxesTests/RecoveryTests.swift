import CRI
import Glibc
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("Nothing is lost", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct RecoveryTests {
    /// A pod with two containers: one that runs on, one that ends when it is told to.
    private func makePod(
        _ fixture: EngineFixture
    ) async throws -> (pod: CRIPodSandboxConfig, sandbox: String, lasting: String, ending: String) {
        let pod = fixture.sandboxConfig("kept")
        let sandbox = try await fixture.run(pod)
        let lasting = try await fixture.create(
            fixture.containerConfig("lasting", ["/bin/sleep", "1000"]), in: sandbox, of: pod)
        try await fixture.start(lasting)
        let ending = try await fixture.create(
            fixture.containerConfig(
                "ending", ["/bin/sh", "-c", "while [ ! -e /dev/shm/go ]; do sleep 0.05; done; exit 9"]),
            in: sandbox, of: pod)
        try await fixture.start(ending)
        return (pod, sandbox, lasting, ending)
    }

    private func pid(_ fixture: EngineFixture, _ container: String) async -> Int32 {
        await fixture.engine.containers.values.first { $0.record.id.text == container }?.record.pid ?? 0
    }

    @Test("a new engine adopts what runs, with the same processes, and learns what ended meanwhile")
    func adoption() async throws {
        try await EngineFixture.use { fixture in
            let (_, sandbox, lasting, ending) = try await makePod(fixture)
            let before = await pid(fixture, lasting)
            let mayEnd = fixture.scratch.file("state/sandboxes/\(sandbox)/shm/go")
            await fixture.engine.shutdown()
            try AtomicFile.write(mayEnd, "")
            try await eventually("the exit is on record") {
                File.exists(fixture.scratch.file("state/sandboxes/\(sandbox)/shim/\(ending).exit"))
            }
            let next = try await fixture.restarted()
            #expect(try await next.status(lasting).state == .containerRunning)
            #expect(await pid(next, lasting) == before)
            let end = try await next.status(ending)
            #expect(end.state == .containerExited && end.exitCode == 9)
            #expect(end.finishedAt > end.startedAt)
            let answer = try await next.exec(lasting, ["/bin/echo", "still here"])
            #expect(String(decoding: answer.stdout, as: UTF8.self) == "still here\n")
            let status = try await next.engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with { $0.podSandboxID = sandbox })
            #expect(status.status.state == .sandboxReady && !status.status.network.ip.isEmpty)
            try await next.stopAndRemove(sandbox)
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
        }
    }

    @Test("a shim that dies takes its pod along: its processes end, and everything says so")
    func deadShim() async throws {
        try await EngineFixture.use { fixture in
            let (_, sandbox, lasting, _) = try await makePod(fixture)
            let process = await pid(fixture, lasting)
            let text = try File.readText(fixture.scratch.file("state/sandboxes/\(sandbox)/shim/shim.pid"))
            let shim = try #require(Int32(text.prefix { $0 != "\n" }))
            #expect(kill(shim, SIGKILL) == 0)
            let end = try await fixture.exited(lasting)
            #expect(end.exitCode == 255 && end.reason == "Unknown" && end.message.contains("shim"))
            try await eventually("the process is gone") { kill(process, 0) != 0 }
            let status = try await fixture.engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with { $0.podSandboxID = sandbox })
            #expect(status.status.state == .sandboxNotready)
            try await fixture.stopAndRemove(sandbox)
            #expect(try Directory.names(fixture.scratch.file("state/oci")).filter { $0.count == 64 }.isEmpty)
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
        }
    }

    @Test("a shim that hangs is ended, so that its pod can be: a frozen shim keeps nothing", arguments: [false, true])
    func frozenShim(containerFirst: Bool) async throws {
        // Checked: without the end of a shim that doesn't answer both calls fail with its deadline, again and again.
        try await EngineFixture.use { fixture in
            let (_, sandbox, lasting, _) = try await makePod(fixture)
            let process = await pid(fixture, lasting)
            let text = try File.readText(fixture.scratch.file("state/sandboxes/\(sandbox)/shim/shim.pid"))
            let shim = try #require(Int32(text.prefix { $0 != "\n" }))
            #expect(kill(shim, SIGSTOP) == 0)
            if containerFirst {
                _ = try await fixture.engine.stopContainer(
                    CRIStopContainerRequest.with {
                        $0.containerID = lasting
                        $0.timeout = 1
                    })
                #expect(try await fixture.status(lasting).state == .containerExited)
            }
            try await fixture.stopAndRemove(sandbox)
            try await eventually("the processes are gone") { kill(process, 0) != 0 && kill(shim, 0) != 0 }
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
            #expect(try Directory.names(fixture.scratch.file("state/sandboxes")).isEmpty)
        }
    }

    @Test("a pod whose directory somebody deleted can be stopped and removed all the same")
    func deletedDirectory() async throws {
        try await EngineFixture.use { fixture in
            let (_, sandbox, lasting, ending) = try await makePod(fixture)
            let process = await pid(fixture, lasting)
            let doomed = [
                "sandboxes/\(sandbox)/shim", "oci/\(sandbox)", "oci/\(lasting)", "containers/\(ending)/config.json",
            ]
            for path in doomed { try Directory.removeTree(fixture.scratch.file("state/" + path)) }
            try await fixture.stopAndRemove(sandbox)
            try await eventually("the process is gone") { kill(process, 0) != 0 }
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
            for controller in try Directory.names("/sys/fs/cgroup") {
                let parent = "/sys/fs/cgroup/\(controller)/kubesim-test-\(fixture.token)/kubesim"
                let left = ((try? Directory.names(parent)) ?? []).filter { $0.count == 64 }
                #expect(left.isEmpty, "\(parent)")
            }
        }
    }

    @Test("after a reboot everything reads as ended, and the same pod can be made anew")
    func reboot() async throws {
        try await EngineFixture.use { fixture in
            let (pod, sandbox, lasting, ending) = try await makePod(fixture)
            let created = try await fixture.create(
                fixture.containerConfig("never", ["/bin/true"]), in: sandbox, of: pod)
            await fixture.engine.shutdown()
            // The power goes: processes, mounts and everything below the state directory.
            let text = try File.readText(fixture.scratch.file("state/sandboxes/\(sandbox)/shim/shim.pid"))
            let shim = try #require(Int32(text.prefix { $0 != "\n" }))
            kill(shim, SIGKILL)
            for container in await fixture.engine.containers.values {
                try CgroupEnd.killAndRemove(container.record.cgroupsPath, host: fixture.engine.cgroups)
            }
            let pause = try fixture.engine.places.cgroup(parent: "", id: sandbox)
            try CgroupEnd.killAndRemove(pause, host: fixture.engine.cgroups)
            // Others mount and unmount meanwhile, so that one look at the table may miss some.
            try await eventually("nothing is mounted") {
                let mounts = MountTable.below(fixture.scratch.file("state"))
                for mount in mounts { try Mount.unmount(mount, detach: true) }
                return mounts.isEmpty
            }
            try Mount.unmount("\(fixture.configuration.netnsDirectory)/kubesim-\(sandbox.prefix(12))", detach: true)
            try File.remove("\(fixture.configuration.netnsDirectory)/kubesim-\(sandbox.prefix(12))")
            try Directory.removeTree(fixture.scratch.file("state"))

            let next = try await fixture.restarted()
            for container in [lasting, ending, created] {
                let status = try await next.status(container)
                #expect(status.state == .containerExited && status.exitCode == 255 && status.reason == "Unknown")
            }
            let status = try await next.engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with { $0.podSandboxID = sandbox })
            #expect(status.status.state == .sandboxNotready)
            let anew = try await next.run(pod)
            #expect(anew != sandbox)
            let all = try await next.engine.listPodSandbox(CRIListPodSandboxRequest())
            #expect(all.items.map(\.id) == [anew])
            try await next.stopAndRemove(anew)
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
        }
    }

    @Test("half-made and unreadable things are taken away, their neighbours live on")
    func halfMade() async throws {
        try await EngineFixture.use { fixture in
            let (pod, sandbox, lasting, ending) = try await makePod(fixture)
            let other = fixture.sandboxConfig("broken")
            let broken = try await fixture.run(other)
            let inside = try await fixture.create(
                fixture.containerConfig("inside", ["/bin/sleep", "1000"]), in: broken, of: other)
            try await fixture.start(inside)
            let process = await pid(fixture, inside)
            // A container that was being made when the engine was killed.
            var half = try #require(
                await fixture.engine.containers.values.first { $0.record.id.text == ending }?.record)
            half.stage = .making
            try await fixture.engine.store.save(half)
            await fixture.engine.shutdown()
            let state = fixture.scratch.file("root/state.db")
            try await Command([
                "python3", "-c",
                "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as d:\n"
                    + " d.execute('UPDATE sandbox SET record = ? WHERE id = ?', ('{\"vers', sys.argv[2]))",
                state, broken,
            ]).run()

            let next = try await fixture.restarted()
            #expect(try await next.status(lasting).state == .containerRunning)
            let containers = try await next.engine.listContainers(CRIListContainersRequest()).containers
            #expect(containers.map(\.id) == [lasting])
            let pods = try await next.engine.listPodSandbox(CRIListPodSandboxRequest()).items
            #expect(pods.map(\.id) == [sandbox])
            let told = await next.engine.recovery.repairs
            #expect(told.contains { $0.pod == broken.prefix(12) && $0.what == "put its record aside" }, "\(told)")
            #expect(told.contains { $0.container == "ending" && $0.what == "took the half-made container away" })
            #expect(told.contains { $0.pod == broken.prefix(12) && $0.what == "took it away" })
            try await eventually("the lost pod's process is gone") { kill(process, 0) != 0 }
            #expect(!File.exists("\(fixture.configuration.netnsDirectory)/kubesim-\(broken.prefix(12))"))
            #expect(try Directory.names(fixture.scratch.file("state/sandboxes")) == [sandbox])
            // The name is free again.
            let anew = try await next.run(other)
            try await next.stopAndRemove(anew)
            try await next.stopAndRemove(sandbox)
            _ = pod
        }
    }
}
