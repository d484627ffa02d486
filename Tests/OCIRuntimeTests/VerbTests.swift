import CLinux
import FoundationEssentials
import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Commands on a container that runs", .needs(.root, .programs, .busybox))
struct VerbTests {
    @Test("pause stops every process, resume lets them go on, and each says when it makes no sense")
    func pauses() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            #expect(
                try await bundle.oci("resume", bundle.id).errors == "kubesim-oci resume failed: container not paused\n")
            #expect(try await bundle.oci("pause", bundle.id).code == 0)
            #expect(try await bundle.status() == "paused")
            #expect(try await bundle.oci("list").output.contains(" paused "))
            let again = try await bundle.oci("pause", bundle.id)
            #expect(again.code == 1)
            #expect(again.errors == "kubesim-oci pause failed: container not running\n")
            let inside = try await bundle.oci("exec", bundle.id, "/bin/true")
            #expect(inside.code == 255)
            #expect(inside.errors.contains("cannot exec in a paused container (use --ignore-paused to override)"))
            #expect(try await bundle.oci("resume", bundle.id).code == 0)
            #expect(try await bundle.status() == "running")
            #expect(try await bundle.oci("exec", bundle.id, "/bin/true").code == 0)
        }
    }

    @Test("exec --ignore-paused waits in a paused container and runs once it is resumed")
    func execsIntoPaused() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            #expect(try await bundle.oci("pause", bundle.id).code == 0)
            let copy = bundle
            async let inside = copy.oci("exec", "--ignore-paused", copy.id, "/bin/echo", "late")
            try await eventually("the process has joined") {
                let pids = try await bundle.oci("ps", "-f", "json", bundle.id).output
                return try JSONValue.parse(Array(pids.utf8)).arrayValue?.count == 2
            }
            #expect(try await bundle.oci("resume", bundle.id).code == 0)
            #expect(try await inside.output == "late\n")
        }
    }

    @Test("A paused container is deleted all the same")
    func deletesPaused() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            #expect(try await bundle.oci("pause", bundle.id).code == 0)
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
        }
    }

    @Test("run --keep leaves the stopped container; other commands reach one that runs in the foreground")
    func keeps() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/sleep", "1000"]
            try bundle.write()
            let copy = bundle
            async let foreground = copy.oci("run", "--keep", "--bundle", copy.path, copy.id)
            try await eventually("it runs") {
                (try? await JSONValue.parse(Array(copy.oci("state", copy.id).output.utf8)))?["status"]?.stringValue
                    == "running"
            }
            #expect(try await bundle.oci("kill", bundle.id, "KILL").code == 0)
            #expect(try await foreground.code == 137)
            #expect(try await bundle.status() == "stopped")
            #expect(try await bundle.oci("delete", bundle.id).code == 0)
        }
    }

    @Test("--pidfd-socket receives a descriptor of the process", arguments: ["create", "exec"])
    func sendsPidfd(verb: String) async throws {
        try await TestBundle.use { bundle in
            let path = bundle.scratch.file("pidfd.sock")
            let listener = try UnixSocket.listen(at: path, .stream)
            bundle.spec.process?.args = ["/bin/sleep", "1000"]
            try bundle.write()
            var expected: pid_t = 0
            if verb == "create" {
                let made = try await bundle.oci("create", "--pidfd-socket", path, "--bundle", bundle.path, bundle.id)
                #expect(made.code == 0, "\(made.errors)")
                expected = try await bundle.pid()
            } else {
                try await bundle.startSleeper()
                let file = bundle.scratch.file("pid")
                let made = try await bundle.oci(
                    "exec", "--detach", "--pidfd-socket", path, "--pid-file", file, bundle.id, "/bin/sleep", "100")
                #expect(made.code == 0, "\(made.errors)")
                expected = try #require(pid_t(try File.readText(file)))
            }
            var message = try listener.accept().receive(mostDescriptors: 1)
            #expect(message.bytes == Array((verb == "create" ? "standard" : "setns").utf8))
            guard let pidfd = message.takeDescriptor() else {
                Issue.record("no descriptor came")
                return
            }
            let text = try File.readText("/proc/self/fdinfo/\(pidfd.raw)")
            #expect(text.contains("Pid:\t\(expected)\n"), "\(text)")
        }
    }

    @Test("kill takes every form of a signal's name", arguments: ["SIGUSR1", "usr1", "10", "SIGusr1"])
    func killsByName(name: String) async throws {
        try await TestBundle.use { bundle in
            let marker = bundle.rootfs + "/tmp/ready"
            bundle.spec.root?.readonly = false
            bundle.spec.process?.args = [
                "/bin/sh", "-c", "trap 'exit 3' USR1; touch /tmp/ready; while true; do sleep 0.05; done",
            ]
            try bundle.write()
            let copy = bundle
            async let foreground = copy.oci("run", "--bundle", copy.path, copy.id)
            try await eventually("the trap is set") { File.exists(marker) }
            #expect(try await bundle.oci("kill", bundle.id, name).code == 0)
            #expect(try await foreground.code == 3)
        }
    }

    @Test("ps shows the container's processes as a table and as numbers")
    func showsProcesses() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let pid = try await bundle.pid()
            #expect(try await bundle.oci("ps", "--format", "json", bundle.id).output == "[\(pid)]\n")
            let table = try await bundle.oci("ps", bundle.id).output.split(separator: "\n")
            #expect(table.count == 2)
            #expect(table[0].contains("PID"))
            #expect(table[1].contains("\(pid)"))
            let short = try await bundle.oci("ps", bundle.id, "-e", "-x").output
            #expect(short.contains("\(pid)") && short.contains("COMMAND"), "\(short)")
            #expect(try await bundle.oci("ps", "--format", "xml", bundle.id).errors.contains("invalid format option"))
        }
    }
}

@Suite("Changing limits", .needs(.root, .programs, .busybox))
struct UpdateTests {
    private func limit(_ bundle: TestBundle, _ controller: String, _ file: String) throws -> String {
        try String(File.readText("/sys/fs/cgroup/\(controller)/kubesim-test/\(bundle.id)/\(file)").dropLast())
    }

    @Test("Every flag reaches its file", .enabled(if: TestBundle.hasCgroupV1))
    func takesFlags() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let outcome = try await bundle.oci(
                "update", "--memory", "64m", "--memory-reservation", "32MiB", "--memory-swap", "128m", "--pids-limit",
                "17", "--cpu-share", "333", "--cpu-period", "50000", "--cpu-quota", "25000", "--cpuset-cpus", "0",
                "--cpuset-mems", "0", bundle.id)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(try limit(bundle, "memory", "memory.limit_in_bytes") == "67108864")
            #expect(try limit(bundle, "memory", "memory.soft_limit_in_bytes") == "33554432")
            #expect(try limit(bundle, "memory", "memory.memsw.limit_in_bytes") == "134217728")
            #expect(try limit(bundle, "pids", "pids.max") == "17")
            #expect(try limit(bundle, "cpu", "cpu.shares") == "333")
            #expect(try limit(bundle, "cpu", "cpu.cfs_period_us") == "50000")
            #expect(try limit(bundle, "cpu", "cpu.cfs_quota_us") == "25000")
            #expect(try limit(bundle, "cpuset", "cpuset.cpus") == "0")
            let lifted = try await bundle.oci("update", "--memory", "-1", "--pids-limit", "-1", bundle.id)
            #expect(lifted.code == 0, "\(lifted.errors)")
            #expect(try limit(bundle, "pids", "pids.max") == "max")
            #expect(try Int64(limit(bundle, "memory", "memory.limit_in_bytes")) ?? 0 > 1 << 60)
        }
    }

    @Test(
        "A file, or standard input, holds resources as in the configuration; devices are left alone",
        .enabled(if: TestBundle.hasCgroupV1))
    func takesResources() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let before = try limit(bundle, "devices", "devices.list")
            let text = #"{"cpu":{"shares":200},"pids":{"limit":9},"devices":[{"allow":true,"access":"rwm"}]}"#
            let piped = try await bundle.oci("update", "--resources", "-", bundle.id, input: text)
            #expect(piped.code == 0, "\(piped.errors)")
            #expect(try limit(bundle, "cpu", "cpu.shares") == "200")
            #expect(try limit(bundle, "pids", "pids.max") == "9")
            #expect(try limit(bundle, "devices", "devices.list") == before)
            try bundle.scratch.write("resources.json", #"{"memory":{"limit":33554432}}"#)
            let filed = try await bundle.oci("update", "-r", bundle.scratch.file("resources.json"), bundle.id)
            #expect(filed.code == 0, "\(filed.errors)")
            #expect(try limit(bundle, "memory", "memory.limit_in_bytes") == "33554432")
        }
    }

    @Test(
        "With checkBeforeUpdate nothing is written when the limit is below what is in use",
        .enabled(if: TestBundle.hasCgroupV1))
    func checksFirst() async throws {
        // Checked: without refuseLimitBelowUsage it is the kernel that refuses, in other words.
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let text = #"{"memory":{"limit":4096,"checkBeforeUpdate":true},"pids":{"limit":5}}"#
            let outcome = try await bundle.oci("update", "-r", "-", bundle.id, input: text)
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("rejecting memory limit 4096 <= usage"), "\(outcome.errors)")
            #expect(try limit(bundle, "pids", "pids.max") == "max")
        }
    }

    @Test("What is no number, no JSON, or not to be had is named")
    func namesBadValues() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            for (words, text) in [
                (["--memory", "much"], "invalid value for memory: invalid size: 'much'"),
                (["--cpu-quota", "x"], "invalid value for cpu-quota"),
                (["--cpuset-cpus", "500"], "linux.resources.cpu.cpus"),
                (["--l3-cache-schema", "L3:0=f"], "Intel RDT/CAT: l3 cache schema is not enabled"),
                (["--mem-bw-schema", "MB:0=50"], "Intel RDT/MBA: memory bandwidth schema is not enabled"),
                (["--resources", "/not/there"], "/not/there: No such file or directory"),
            ] {
                let outcome = try await Command(
                    [TestBundle.program, "--root", bundle.state, "update"] + words + [bundle.id]
                ).run()
                #expect(outcome.code == 1)
                #expect(outcome.errors.contains(text), "\(outcome.errors)")
            }
            let piped = try await bundle.oci("update", "--resources", "-", bundle.id, input: "{\"cpu\":")
            #expect(piped.code == 1)
            #expect(piped.errors.contains("standard input: "))
            let old = try await bundle.oci("update", "--kernel-memory", "1m", bundle.id)
            #expect(old.code == 0)
            #expect(old.errors.contains("Kernel memory settings are ignored"))
        }
    }

    @Test("Amounts of memory as people write them")
    func readsAmounts() {
        #expect(ByteCount.parse("-1") == -1)
        #expect(ByteCount.parse("1024") == 1024)
        #expect(ByteCount.parse("64m") == 64 << 20)
        #expect(ByteCount.parse("1.5GiB") == 3 << 29)
        #expect(ByteCount.parse("2 kb") == 2048)
        for text in ["", "m", "-2", "1x", "nan", "1e400", "99999999999t", "9223372036854775807k"] {
            #expect(ByteCount.parse(text) == nil, "\(text)")
        }
    }

    @Test("Times as Go writes them")
    func readsIntervals() {
        #expect(Interval.parse("5s") == 5_000_000_000)
        #expect(Interval.parse("1m30s") == 90_000_000_000)
        #expect(Interval.parse("1.5h") == 5_400_000_000_000)
        #expect(Interval.parse("250ms") == 250_000_000)
        for text in ["", "0s", "-1s", "5", "s", "5 s", "1d"] { #expect(Interval.parse(text) == nil, "\(text)") }
    }
}

@Suite("Events", .needs(.root, .programs, .busybox))
struct EventTests {
    @Test("--stats shows one line in runc's shape")
    func showsStatistics() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.resources?.pids = LinuxPids(limit: 12) }
            try await bundle.startSleeper()
            let outcome = try await bundle.oci("events", "--stats", bundle.id)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.output.hasPrefix("{\"type\":\"stats\",\"id\":\"\(bundle.id)\",\"data\":{\"cpu\":{"))
            let data = try #require(try JSONValue.parse(Array(outcome.output.utf8))["data"])
            #expect(data["pids"]?["current"]?.intValue == 1)
            #expect(data["pids"]?["limit"]?.intValue == 12)
            #expect(data["memory"]?["usage"]?["usage"]?.intValue ?? 0 > 0)
            #expect(data["cpu"]?["usage"]?["total"]?.intValue ?? 0 > 0)
            #expect(data["memory"]?["raw"]?.objectValue != nil)
            #expect(data["hugetlb"]?.objectValue != nil)
            #expect(data["intel_rdt"]?.objectValue != nil)
            #expect(data["network_interfaces"] == .null)
        }
    }

    @Test("Statistics come at the interval, an event when memory runs out, and the end with the container")
    func watches() async throws {
        try await TestBundle.use { bundle in
            // tail keeps what has no newline: it grows until the limit.
            bundle.spec.process?.args = [
                "/bin/sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.05; done; tail /dev/zero",
            ]
            bundle.spec.root?.readonly = false
            bundle.spec.linux { $0.resources?.memory = LinuxMemory(limit: 8 << 20) }
            try bundle.write()
            #expect(try await bundle.oci("run", "--detach", "--bundle", bundle.path, bundle.id).code == 0)
            let lines = bundle.scratch.file("events")
            let output = try File.open(lines, O_WRONLY | O_CREAT, mode: 0o600)
            let watcher = try Command([
                TestBundle.program, "--root", bundle.state, "events", "--interval", "50ms", bundle.id,
            ]).start(output: output.raw, errors: 2)
            try await eventually("statistics come") { try File.readText(lines).contains("\"type\":\"stats\"") }
            #expect(!(try File.readText(lines)).contains("oom"))
            try bundle.scratch.write("bundle/rootfs/tmp/go", "")
            #expect(Command.wait(for: watcher) == 0)
            let text = try File.readText(lines)
            #expect(text.contains("{\"type\":\"oom\",\"id\":\"\(bundle.id)\"}\n"), "\(text.suffix(300))")
        }
    }

    @Test("A container that doesn't run, and an interval that is none, are errors")
    func refuses() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let zero = try await bundle.oci("events", "--interval", "0s", bundle.id)
            #expect(zero.errors.contains("duration interval must be greater than 0"))
            #expect(try await bundle.oci("kill", bundle.id, "KILL").code == 0)
            try await bundle.waitStopped()
            let late = try await bundle.oci("events", "--stats", bundle.id)
            #expect(late.errors.contains("container with id \(bundle.id) is not running"))
        }
    }
}
