import CRI
import GRDB
import Glibc
import JSON
import Linux
import Logging
import TestKit
import Testing

@testable import Sandboxes

@Suite("Records on disk")
struct RecordTests {
    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

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

    /// A store on the scratch directory, let go of at the end.
    private func withStore<Value>(
        _ scratch: Scratch, _ body: (RecordStore) async throws -> Value
    ) async throws -> Value {
        let store = try RecordStore(root: scratch.path, logger: Self.logger)
        let result: Result<Value, any Error>
        do { result = .success(try await body(store)) } catch { result = .failure(error) }
        await store.close()
        return try result.get()
    }

    private func edit(_ scratch: Scratch, _ sql: String) throws {
        try DatabaseQueue(path: scratch.file("state.db")).write { try $0.execute(sql: sql) }
    }

    @Test("they come back as they were written, the last one of each object, also in another process's life")
    func roundTrips() async throws {
        try await Scratch.use { scratch in
            var (sandbox, container) = (sandbox(), container(SandboxID()))
            try await withStore(scratch) { store in
                try await store.save(sandbox)
                for number in 0..<300 {
                    container.pid = Int32(number)
                    store.note(container)
                }
                sandbox.stage = .stopped
                sandbox.config.linux.overhead.cpuShares = 7
                try await store.save(sandbox)
                let contents = try store.readAll(logger: Self.logger)
                #expect(contents.sandboxes == [sandbox] && contents.containers == [container])
            }
            try await withStore(scratch) { store in
                let contents = try store.readAll(logger: Self.logger)
                #expect(contents.sandboxes == [sandbox] && contents.containers == [container])
                for _ in 0..<2 {
                    try await store.forget(sandbox.id)
                    try await store.forget(container.id)
                }
            }
            try await withStore(scratch) { store in
                let contents = try store.readAll(logger: Self.logger)
                #expect(contents.sandboxes.isEmpty && contents.containers.isEmpty)
            }
        }
    }

    @Test("the file is its owner's alone, and so is what lies beside it")
    func modes() async throws {
        try await Scratch.use { scratch in
            try await withStore(scratch) { store in
                try await store.save(sandbox())
                for name in ["state.db", "state.db-wal"] {
                    #expect(try FileStatus(scratch.file(name)).permissions == 0o600, "\(name)")
                }
            }
        }
    }

    @Test("a record that is broken, newer, or someone else's is put aside with its reason; the others are read")
    func refusals() async throws {
        let changes = [
            ("substr(record, 1, length(record) / 2)", "line "), ("''", ""),
            ("replace(record, '\"version\":1', '\"version\":2')", "version 2; this program knows 1"),
            ("replace(record, '\"ready\"', '\"sleepy\"')", "stage is \"sleepy\", which is unknown"),
            ("replace(record, id, 'x')", "its id isn't that of its row"),
            ("replace(record, '/run/netns/x', '/run/../x')", "netns is no absolute path"),
        ]
        for (change, words) in changes {
            try await Scratch.use { scratch in
                let (good, bad) = (sandbox(), sandbox())
                let inside = container(good.id)
                try await withStore(scratch) { store in
                    for record in [good, bad] { try await store.save(record) }
                    try await store.save(inside)
                }
                try edit(scratch, "UPDATE sandbox SET record = \(change) WHERE id = '\(bad.id)'")
                try await withStore(scratch) { store in
                    let contents = try store.readAll(logger: Self.logger)
                    #expect(contents.sandboxes == [good] && contents.containers == [inside])
                    #expect(contents.lostSandboxes == [bad.id])
                    #expect(contents.unreadable.count == 1)
                    #expect(contents.unreadable.first?.reason.contains(words) == true, "\(contents.unreadable)")
                    // Nobody trips over it twice.
                    #expect(try store.readAll(logger: Self.logger).unreadable.isEmpty)
                }
            }
        }
    }

    @Test("a config that is no protobuf is put aside, too, and folders without a record are leftovers")
    func leftovers() async throws {
        try await Scratch.use { scratch in
            let inside = container(SandboxID())
            let (old, older) = (SandboxID(), ContainerID())
            try await withStore(scratch) { try await $0.save(inside) }
            try edit(scratch, "UPDATE container SET config = x'ffffff'")
            // As a node from before the database kept them.
            for folder in ["sandboxes/\(old)", "containers/\(older)", "sandboxes/not-an-id"] {
                _ = try scratch.directory(folder)
            }
            try scratch.write("sandboxes/\(old)/sandbox.json", "{}")
            try await withStore(scratch) { store in
                let contents = try store.readAll(logger: Self.logger)
                #expect(contents.containers.isEmpty && contents.lostSandboxes == [old])
                #expect(Set(contents.lostContainers) == [inside.id, older])
                try await store.forget(old)
                try await store.forget(older)
                #expect(try store.readAll(logger: Self.logger).lostSandboxes.isEmpty)
                #expect(!File.exists(scratch.file("containers/\(older)")))
            }
        }
    }

    @Test("a damaged file is moved aside and a new one made", arguments: ["no database", "torn", "without tables"])
    func damaged(how: String) async throws {
        try await Scratch.use { scratch in
            try await withStore(scratch) { store in
                for _ in 0..<50 { try await store.save(sandbox()) }
            }
            let path = scratch.file("state.db")
            switch how {
            case "torn":
                let size = try FileStatus(path).size
                let file = try File.open(path, 2)
                try file.writeAll([UInt8](repeating: 0xff, count: 100))
                try await Command(["truncate", "-s", "\(size / 2)", path]).run()
            case "without tables": try edit(scratch, "DROP TABLE container")
            default: try AtomicFile.write(path, String(repeating: "nonsense ", count: 1000))
            }
            try await withStore(scratch) { store in
                #expect(store.damage != nil)
                #expect(try store.readAll(logger: Self.logger).sandboxes.isEmpty)
                let record = sandbox()
                try await store.save(record)
                #expect(try store.readAll(logger: Self.logger).sandboxes == [record])
            }
            #expect(try Directory.names(scratch.file("corrupt")).contains { $0.hasPrefix("state.db-") })
        }
    }

    @Test("a file of a newer kubesim is left alone, and the error names it and what to do")
    func newer() async throws {
        try await Scratch.use { scratch in
            let record = sandbox()
            try await withStore(scratch) { try await $0.save(record) }
            try edit(scratch, "INSERT INTO grdb_migrations VALUES ('9 from the future')")
            do {
                _ = try RecordStore(root: scratch.path, logger: Self.logger)
                Issue.record("it was opened")
            } catch let error as StateError {
                #expect(error.description.hasPrefix("\(scratch.path)/state.db was written by a newer kubesim"))
            }
            try edit(scratch, "DELETE FROM grdb_migrations WHERE identifier LIKE '9%'")
            try await withStore(scratch) { store in
                let found = try store.readAll(logger: Self.logger).sandboxes
                #expect(found == [record])
            }
        }
    }

    @Test("two can't have it at once: the second is told, the first goes on")
    func twice() async throws {
        try await Scratch.use { scratch in
            try await withStore(scratch) { store in
                try await store.save(sandbox())
                // Another process: a lock is a process's (fcntl(2)).
                let other = try await Command([
                    "python3", "-c",
                    "import sqlite3, sys\nsqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM sandbox')",
                    scratch.file("state.db"),
                ]).run()
                #expect(other.code != 0 && other.errors.contains("locked"), "\(other)")
                try await store.save(sandbox())
            }
        }
    }

    @Test("what was saved outlives the writer's sudden death")
    func suddenDeath() async throws {
        try await Scratch.use { scratch in
            let record = sandbox()
            let copy = try scratch.directory("copy")
            try await withStore(scratch) { store in
                try await store.save(record)
                // What a killed process leaves: the files as they are, without a last word.
                try await Command(["cp", scratch.file("state.db"), scratch.file("state.db-wal"), copy]).run()
            }
            let store = try RecordStore(root: copy, logger: Self.logger)
            #expect(try store.readAll(logger: Self.logger).sandboxes == [record])
            await store.close()
        }
    }

    @Test("many writers at once: each is told of its own, and all is there")
    func manyAtOnce() async throws {
        try await Scratch.use { scratch in
            let records = (0..<200).map { _ in sandbox() }
            try await withStore(scratch) { store in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for record in records { group.addTask { try await store.save(record) } }
                    try await group.waitForAll()
                }
                let found = try store.readAll(logger: Self.logger).sandboxes
                #expect(Set(found.map(\.id)) == Set(records.map(\.id)))
            }
            let store = try RecordStore(root: scratch.path, logger: Self.logger)
            await store.close()
            await #expect(throws: StateError.self) { try await store.save(sandbox()) }
        }
    }

    @Test(
        "a full disk is told as such; what nobody waits for is written when there is room, and a removal needs none",
        .needs(.root))
    func fullDisk() async throws {
        // Checked: without the room that the log has in advance nothing can be removed; when notes that can't be written are
        // let go of, the last one never is.
        try await Scratch.use { scratch in
            let root = try scratch.directory("small")
            try #require(mount("tmpfs", root, "tmpfs", 0, "size=24m,mode=700") == 0)
            scratch.atEnd { umount2(root, Int32(MNT_DETACH)) }
            let store = try RecordStore(root: root, logger: Self.logger)
            let records = (0..<20).map { _ in sandbox() }
            for record in records { try await store.save(record) }
            _ = try await Command(["dd", "if=/dev/zero", "of=\(root)/ballast", "bs=64k"]).run()
            // The log's room was taken in advance.
            for record in records { try await store.forget(record.id) }
            var large = sandbox()
            large.config.labels["x"] = String(repeating: "x", count: 6 << 20)
            do {
                try await store.save(large)
                Issue.record("there was room")
            } catch let error as StateError {
                #expect(error.code == .full)
                #expect(error.description == "write \(root)/state.db: No space left on device")
            }
            store.note(large)
            // Whose answer comes once the note has failed, too.
            var other = sandbox()
            other.config.labels = large.config.labels
            let asked = other
            await #expect(throws: StateError.self) { try await store.save(asked) }
            #expect(try store.readAll(logger: Self.logger).sandboxes.isEmpty)
            try File.remove("\(root)/ballast")
            try await eventually("the note is written") {
                try store.readAll(logger: Self.logger).sandboxes.count == 1
            }
            await store.close()
        }
    }
}
