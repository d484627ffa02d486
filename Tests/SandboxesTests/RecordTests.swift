import JSON
import CRI
import Linux
import Logging
import TestKit
import Testing

@testable import Sandboxes

@Suite("Records on disk")
struct RecordTests {
    private func sandbox() -> SandboxRecord {
        var config = CRIPodSandboxConfig()
        config.metadata.name = "web"
        config.metadata.namespace = "default"
        config.metadata.uid = "u1"
        config.metadata.attempt = 3
        config.labels = ["a": "b"]
        config.linux.securityContext.runAsUser.value = 9_007_199_254_740_993
        config.linux.sysctls = ["net.x": "1"]
        return SandboxRecord(
            id: SandboxID(), config: config, runtimeHandler: "runc", stage: .ready, createdAtNanoseconds: 123,
            netns: "/run/netns/x", networkAttached: true, addresses: ["10.0.0.1", "fd00::1"],
            networkResult: ["network": "n"], pausePID: 77)
    }

    private func container(_ sandbox: SandboxID) -> ContainerRecord {
        var config = CRIContainerConfig()
        config.metadata.name = "main"
        config.envs = [CRIKeyValue.of("A", "ü\n")]
        config.stopSignal = .sigrtminplus3
        config.linux.resources.cpuShares = 512
        return ContainerRecord(
            id: ContainerID(), sandbox: sandbox, config: config, stage: .exited, imageID: "sha256:1", imageRef: "r",
            createdAtNanoseconds: 1, startedAtNanoseconds: 2, finishedAtNanoseconds: 3, exitCode: 137,
            reason: "OOMKilled", message: "m", pid: 5, stopSignal: 15,
            user: ResolvedUser(uid: 1, gid: 2, groups: [2, 3], home: "/h"), cgroupsPath: "/c", logPath: "/l",
            volumes: ["/data": "/v/0"])
    }

    @Test("they come back as they were written")
    func roundTrips() throws {
        let sandbox = sandbox()
        #expect(try SandboxRecord(try sandbox.encoded(), id: sandbox.id) == sandbox)
        let container = container(sandbox.id)
        #expect(try ContainerRecord(try container.encoded(), id: container.id) == container)
    }

    @Test("a record that is broken, newer, or someone else's is refused with its reason")
    func refusals() throws {
        let sandbox = sandbox()
        let good = String(decoding: try sandbox.encoded(), as: UTF8.self)
        func reason(_ text: String, id: SandboxID? = nil) -> String? {
            do {
                _ = try SandboxRecord(Array(text.utf8), id: id ?? sandbox.id)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(reason(String(good.prefix(good.utf8.count / 2)))?.contains("line ") == true)
        #expect(reason("")?.isEmpty == false)
        #expect(reason(good.replacing("\"version\": 1", with: "\"version\": 2")) == "version 2; this program knows 1")
        #expect(reason(good.replacing("\"ready\"", with: "\"sleepy\"")) == "stage is \"sleepy\", which is unknown")
        #expect(reason(good, id: SandboxID()) == "its id isn't that of its directory")
        #expect(reason(good.replacing("/run/netns/x", with: "/run/../x")) == "netns is no absolute path")
    }

    @Test("one that can't be read is put aside; the others are read; a folder without one is a leftover")
    func storeReads() async throws {
        try await Scratch.use { scratch in
            let store = RecordStore(root: scratch.path)
            try store.makeDirectories()
            let (good, bad, empty) = (sandbox(), sandbox(), SandboxID())
            try store.write(good)
            try store.write(bad)
            try AtomicFile.write(store.directory(bad.id) + "/sandbox.json", "{\"version\":")
            try Directory.make(store.directory(empty))
            try Directory.make(store.sandboxes + "/not-an-id")
            let container = container(good.id)
            try store.write(container)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let contents = store.readAll(logger: logger)
            #expect(contents.sandboxes == [good] && contents.containers == [container])
            #expect(Set(contents.lostSandboxes) == [bad.id, empty])
            #expect(File.exists(store.aside + "/sandbox-\(bad.id.text).json"))
            try store.remove(good.id)
            try store.remove(good.id)
            #expect(!File.exists(store.directory(good.id)))
        }
    }
}
