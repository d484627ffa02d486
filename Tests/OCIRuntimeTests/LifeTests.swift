import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@Suite("A container's life", .needs(.root, .programs, .busybox))
struct LifeTests {
    @Test("run shows the program's output and ends with its code")
    func runsInTheForeground() async throws {
        try await TestBundle.use { bundle in
            let outcome = try await bundle.run(script: "echo out; echo err >&2; exit 7")
            #expect(outcome.output == "out\n")
            #expect(outcome.errors == "err\n")
            #expect(outcome.code == 7)
        }
    }

    @Test("run ends with 128 and the signal that ended the program")
    func runTellsSignals() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.namespaces.removeAll { $0.type == .pid } }
            let outcome = try await bundle.run(script: "kill -9 $$")
            #expect(outcome.code == 137)
        }
    }

    @Test("Standard input reaches the program")
    func passesInput() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/cat"]
            try bundle.write()
            #expect(try await bundle.oci("run", "--bundle", bundle.path, bundle.id, input: "hello").output == "hello")
        }
    }

    @Test("create waits, start releases, kill ends, delete takes it all away")
    func livesStepByStep() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/sleep", "1000"]
            try bundle.write()
            let file = bundle.scratch.file("pid")
            let created = try await bundle.oci("create", "--bundle", bundle.path, "--pid-file", file, bundle.id)
            #expect(created.code == 0, "\(created.errors)")
            #expect(try await bundle.status() == "created")
            let pid = try await bundle.pid()
            #expect(try File.readText(file) == "\(pid)")
            #expect(try File.readText("/proc/\(pid)/cmdline").contains("kubesim-oci"))

            #expect(try await bundle.oci("start", bundle.id).code == 0)
            #expect(try await bundle.status() == "running")
            #expect(try await bundle.pid() == pid)
            #expect(try File.readText("/proc/\(pid)/cmdline") == "/bin/sleep\u{0}1000\u{0}")
            let again = try await bundle.oci("start", bundle.id)
            #expect(again.code == 1)
            #expect(again.errors.contains("cannot start an already running container"))

            let early = try await bundle.oci("delete", bundle.id)
            #expect(early.code == 1)
            #expect(early.errors.contains("cannot delete container \(bundle.id) that is not stopped: running"))
            #expect(try await bundle.oci("kill", bundle.id, "KILL").code == 0)
            try await bundle.waitStopped()
            #expect(try await bundle.stateValue()["pid"]?.intValue == 0)
            let late = try await bundle.oci("kill", bundle.id)
            #expect(late.code == 1)
            #expect(late.errors.contains("container not running"))
            #expect(try await bundle.oci("delete", bundle.id).code == 0)
            let gone = try await bundle.oci("state", bundle.id)
            #expect(gone.code == 1)
            #expect(gone.errors.contains("container does not exist"))
        }
    }

    @Test("A container without a process can be created; start says that there is nothing to start, and stops it")
    func createsWithoutProcess() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process = nil
            try await bundle.expectFailure("process: it is missing")
            #expect(try await bundle.oci("create", "--bundle", bundle.path, bundle.id).code == 0)
            #expect(try await bundle.status() == "created")
            let start = try await bundle.oci("start", bundle.id)
            #expect(start.code == 1)
            #expect(start.errors.contains("config.json has no process"))
            try await bundle.waitStopped()
        }
    }

    @Test("A signal ends a container that waits for its start", arguments: ["TERM", "INT", "USR1"])
    func endsBeforeStart(signal: String) async throws {
        try await TestBundle.use { bundle in
            try bundle.write()
            #expect(try await bundle.oci("create", "--bundle", bundle.path, bundle.id).code == 0)
            #expect(try await bundle.oci("kill", bundle.id, signal).code == 0)
            try await bundle.waitStopped()
        }
    }

    @Test("KILL reaches every process of a container without a pid namespace", arguments: [false, true])
    func killsSharers(initIsGone: Bool) async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.namespaces.removeAll { $0.type == .pid } }
            try await bundle.startSleeper()
            let pid = try await bundle.pid()
            let file = bundle.scratch.file("other")
            let other = try await bundle.oci("exec", "-d", "--pid-file", file, bundle.id, "/bin/sleep", "1000")
            #expect(other.code == 0, "\(other.errors)")
            // Before it is killed: who reaps it may be quick.
            let left = try Pidfd(pid: try #require(pid_t(try File.readText(file))))
            if initIsGone {
                kill(pid, SIGKILL)
                try await bundle.waitStopped()
            }
            #expect(try await bundle.oci("kill", bundle.id, "KILL").code == 0)
            #expect(try left.ended(withinMilliseconds: 5000))
            try await bundle.waitStopped()
            #expect(try await bundle.oci("kill", bundle.id, "KILL").errors.contains("container not running"))
        }
    }

    @Test("The init belongs to the nearest subreaper once create has ended, and has create's standard streams")
    func leavesTheInitBehind() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/sh", "-c", "echo late; exec sleep 1000"]
            try bundle.write()
            let output = bundle.scratch.file("output")
            let file = try File.open(output, O_WRONLY | O_CREAT, mode: 0o600)
            let command = Command([
                TestBundle.program, "--root", bundle.state, "create", "--bundle", bundle.path, bundle.id,
            ])
            let pid = try command.start(output: file.raw, errors: 2)
            #expect(Command.wait(for: pid) == 0)
            let parent = try ProcessStat(pid: try await bundle.pid()).parentPID
            #expect(parent != pid)
            #expect(try await bundle.oci("start", bundle.id).code == 0)
            try await eventually("the output comes") { try File.readText(output) == "late\n" }
        }
    }

    @Test("An id is taken once")
    func refusesTakenIDs() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let second = try await bundle.oci("run", "--bundle", bundle.path, bundle.id)
            #expect(second.code == 1)
            #expect(second.errors.contains("container with id \(bundle.id) exists"))
            #expect(try await bundle.status() == "running")
        }
    }

    @Test("An id that is no file's name is refused", arguments: ["../x", "a/b", "", ".", "..", "a b", "ä"])
    func refusesBadIDs(id: String) async throws {
        try await TestBundle.use { bundle in
            try bundle.write()
            let outcome = try await bundle.oci("run", "--bundle", bundle.path, id)
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("container ID") || outcome.errors.contains("container id"))
        }
    }

    @Test("delete --force ends a running container, and is content with none")
    func forcesDelete() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let pid = try await bundle.pid()
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
            // Ended, and perhaps not reaped yet by whoever it was left to.
            #expect((try? ProcessStat(pid: pid))?.isZombie ?? true)
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
            #expect(try await bundle.oci("delete", bundle.id).code == 1)
        }
    }

    @Test("A created container can be deleted without having been started")
    func deletesCreated() async throws {
        try await TestBundle.use { bundle in
            try bundle.write()
            #expect(try await bundle.oci("create", "--bundle", bundle.path, bundle.id).code == 0)
            #expect(try await bundle.oci("delete", bundle.id).code == 0)
        }
    }

    @Test("Two starts at once: one starts, the other says so")
    func serialisesCommands() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/sleep", "1000"]
            try bundle.write()
            #expect(try await bundle.oci("create", "--bundle", bundle.path, bundle.id).code == 0)
            let copy = bundle
            async let first = copy.oci("start", copy.id)
            async let second = copy.oci("start", copy.id)
            let outcomes = try await [first, second]
            #expect(outcomes.map(\.code).sorted() == [0, 1])
            #expect(outcomes.contains { $0.errors.contains("already running") })
        }
    }

    @Test("kill --all reaches every process of the container")
    func killsAll() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/sh", "-c", "sleep 1000 & sleep 1000 & wait"]
            bundle.spec.linux { $0.namespaces.removeAll { $0.type == .pid } }
            try bundle.write()
            let outcome = try await bundle.oci("run", "--detach", "--bundle", bundle.path, bundle.id)
            #expect(outcome.code == 0, "\(outcome.errors)")
            try await eventually("three processes run") {
                try await JSONValue.parse(Array(bundle.oci("ps", "-f", "json", bundle.id).output.utf8)).arrayValue?
                    .count == 3
            }
            #expect(try await bundle.oci("kill", "--all", bundle.id, "SIGKILL").code == 0)
            try await eventually("none runs") {
                try await JSONValue.parse(Array(bundle.oci("ps", "-f", "json", bundle.id).output.utf8)).arrayValue?
                    .isEmpty == true
            }
        }
    }

    @Test("list shows containers as a table, as JSON and as names")
    func lists() async throws {
        try await TestBundle.use { bundle in
            let early = try await bundle.oci("list")
            #expect(early.code == 1 && early.errors.contains("No such file or directory"), "\(early)")
            try Directory.make(bundle.state)
            #expect(try await bundle.oci("list", "-f", "json").output == "null")
            try await bundle.startSleeper()
            let table = try await bundle.oci("list").output.split(separator: "\n")
            #expect(table.count == 2)
            #expect(table[0].hasPrefix("ID"))
            #expect(table[1].contains("running"))
            #expect(try await bundle.oci("list", "-q").output == bundle.id + "\n")
            let json = try await JSONValue.parse(Array(bundle.oci("list", "-f", "json").output.utf8))
            #expect(json[0]?["id"]?.stringValue == bundle.id)
            #expect(json[0]?["status"]?.stringValue == "running")
        }
    }

    @Test("A pid that was given to another process is never signalled")
    func knowsRecycledPids() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let pid = try await bundle.pid()
            // What a recycled pid looks like: the same number, another start time.
            let file = "\(bundle.state)/\(bundle.id)/state.json"
            var record = try JSONValue.parse(try File.read(file))
            let start = try #require(record["startTime"]?.intValue)
            record["startTime"] = .int(start - 1)
            try AtomicFile.write(file, record.encoded())
            #expect(try await bundle.status() == "stopped")
            #expect(try await bundle.oci("kill", bundle.id, "KILL").errors.contains("container not running"))
            #expect(try !ProcessStat(pid: pid).isZombie)
            record["startTime"] = .int(start)
            try AtomicFile.write(file, record.encoded())
            #expect(try await bundle.status() == "running")
        }
    }

    @Test("A state file that is damaged or from another layout is named, and delete --force takes it away")
    func namesDamagedState() async throws {
        try await TestBundle.use { bundle in
            let folder = "\(bundle.state)/\(bundle.id)"
            try Directory.make(folder, mode: 0o700)
            for text in ["", "{\"layout\":1,\"pid\":", "{\"layout\":99,\"pid\":1}", "[]", "{\"layout\":1,\"pid\":-1}"] {
                try AtomicFile.write(folder + "/state.json", text)
                for verb in ["state", "start", "kill", "delete"] {
                    let outcome = try await bundle.oci(verb, bundle.id)
                    #expect(outcome.code == 1)
                    #expect(outcome.errors.contains(folder + "/state.json"), "\(verb) \(text): \(outcome.errors)")
                }
            }
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
        }
    }
}
