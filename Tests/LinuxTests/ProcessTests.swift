import Glibc
import Linux
import TestKit
import Testing

@Suite("Processes")
struct ProcessTests {
    @Test("A program gets exactly the descriptors that it was given")
    func spawns() async throws {
        try await Scratch.use { scratch in
            let output = try File.open(scratch.file("out"), O_RDWR | O_CREAT, mode: 0o600)
            let forgotten = dup(output.raw)
            defer { close(forgotten) }
            var spawn = Spawn(
                "/bin/sh", ["sh", "-c", "ls /proc/self/fd; pwd; echo $A"], environment: ["A=b", "PATH=/bin"])
            spawn.descriptors = [-1, output.raw, output.raw]
            spawn.directory = "/etc"
            let child = try spawn.start()
            #expect(try child.pidfd.wait() == .exited(code: 0))
            // 0 was left closed, so ls opens the folder there.
            #expect(try File.readText(scratch.file("out")) == "0\n1\n2\n/etc\nb\n")
        }
    }

    @Test("A program that isn't there is this call's failure")
    func tellsMissingPrograms() {
        let result = Result { () throws(SystemError) in _ = try Spawn("/not/there", ["x"]).start() }
        guard case .failure(let error) = result else {
            Issue.record("started")
            return
        }
        #expect(error.errno == .noEntry)
        #expect(error.description == "start /not/there: No such file or directory")
    }

    @Test("How a program ended: its code, or its signal")
    func tellsEndings() throws {
        let failing = try Spawn("/bin/sh", ["sh", "-c", "exit 7"]).start()
        #expect(try failing.pidfd.wait() == .exited(code: 7))
        let sleeping = try Spawn("/bin/sleep", ["sleep", "1000"]).start()
        #expect(try sleeping.pidfd.wait(block: false) == nil)
        #expect(try !sleeping.pidfd.ended(withinMilliseconds: 0))
        try sleeping.pidfd.signal(SIGTERM)
        #expect(try sleeping.pidfd.ended(withinMilliseconds: 30_000))
        let status = try sleeping.pidfd.wait()
        #expect(status == .signalled(SIGTERM))
        #expect(status?.shellCode == 143)
    }

    @Test("Signals are unblocked in a program, whatever the caller blocks")
    func unblocksSignals() async throws {
        try await Scratch.use { scratch in
            let output = try File.open(scratch.file("out"), O_RDWR | O_CREAT, mode: 0o600)
            var spawn = Spawn("/bin/grep", ["grep", "SigBlk", "/proc/self/status"])
            spawn.descriptors = [-1, output.raw]
            #expect(try spawn.start().pidfd.wait() == .exited(code: 0))
            #expect(try File.readText(scratch.file("out")) == "SigBlk:\t0000000000000000\n")
        }
    }

    @Test("A stat line is read past every name")
    func readsStat() throws {
        let line = Array("12 (a b) (c) Z 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 4242 23 24\n".utf8)
        let stat = try #require(ProcessStat(pid: 12, line))
        #expect(stat.name == "a b) (c")
        #expect(stat.isZombie)
        #expect(stat.parentPID == 3)
        #expect(stat.startTime == 4242)
        #expect(ProcessStat(pid: 1, Array("".utf8)) == nil)
        #expect(ProcessStat(pid: 1, Array("1 (x) S 2".utf8)) == nil)
        #expect(try ProcessStat(pid: getpid()).startTime > 0)
    }

    @Test("A process is opened only when its start time is the known one")
    func provesIdentity() throws {
        let stat = try ProcessStat(pid: getpid())
        _ = try Pidfd(pid: getpid(), startTime: stat.startTime)
        #expect(throws: SystemError.self) { _ = try Pidfd(pid: getpid(), startTime: stat.startTime + 1) }
    }

    @Test("A mount line is read with its escapes")
    func readsMounts() throws {
        let line = "36 35 98:0 /a\\040b /mnt\\134x rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue"
        let mount = try #require(MountInfo(Array(line.utf8)[...]))
        #expect(mount.root == "/a b")
        #expect(mount.mountPoint == "/mnt\\x")
        #expect(mount.propagation == ["master:1", "shared:7"])
        #expect(mount.type == "ext3")
        #expect(MountInfo(Array("garbage".utf8)[...]) == nil)
        #expect(try MountInfo.all().contains { $0.mountPoint == "/" })
    }
}
