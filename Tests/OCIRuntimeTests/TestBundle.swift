import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

/// A bundle with a busybox root filesystem in a scratch directory, and a runtime state directory beside it.
///
/// `use` ends by deleting what the test left and asserting that nothing of it is left: no state, no cgroup.
struct TestBundle: Sendable {
    let scratch: Scratch
    let path: String
    var spec: Spec

    var rootfs: String { path + "/rootfs" }
    var state: String { scratch.file("state") }

    static let program = Binaries.path("kubesim-oci")

    /// An id that no other test has: cgroups are named by it.
    let id: String

    static func use(_ body: (inout TestBundle) async throws -> Void) async throws {
        try await Scratch.use { scratch in
            var bundle = try TestBundle(scratch)
            let (state, id) = (bundle.state, bundle.id)
            scratch.atEnd { deleteEverything(state) }
            try await body(&bundle)
            deleteEverything(state)
            #expect(cgroups(id).isEmpty, "cgroups of \(id) are left")
            let left = (try? Directory.names(state)) ?? []
            #expect(left.filter { !$0.hasPrefix("@") }.isEmpty, "state is left: \(left)")
        }
    }

    init(_ scratch: Scratch) throws {
        self.scratch = scratch
        path = try scratch.directory("bundle")
        id = "test-\(getpid())-" + String(UInt32.random(in: .min ... .max), radix: 36)
        spec = Spec.starter()
        spec.process?.terminal = false
        spec.linux?.cgroupsPath = "/kubesim-test/\(id)"
        for name in ["bin", "proc", "dev", "sys", "tmp", "etc"] { _ = try scratch.directory("bundle/rootfs/\(name)") }
        // By another process: while this one has a file open for writing, whoever it starts meanwhile has it open too, and
        // the file can't be executed.
        let copied = try Command(["cp", "/bin/busybox", rootfs + "/bin/busybox"]).runBlocking()
        try #require(copied.code == 0, "\(copied.errors)")
        for name in TestBundle.applets { try File.symlink("busybox", "\(rootfs)/bin/\(name)") }
    }

    private static let applets = [
        "sh", "true", "false", "cat", "ls", "sleep", "id", "mount", "echo", "stat", "touch", "mkdir", "readlink", "tty",
        "stty", "hostname", "kill", "grep", "pwd", "env", "ps", "dd", "test", "wc", "head", "rm", "ln", "dirname",
        "chrt", "ionice", "uname", "tail", "chmod", "ip", "seq",
    ]

    /// Writes the configuration as it is now.
    func write() throws { try AtomicFile.write(path + "/config.json", spec.encoded(indent: " "), mode: 0o644) }

    /// Runs `kubesim-oci VERB …` to its end.
    func oci(_ words: String..., input: String = "") async throws -> Command.Outcome {
        try await Command([TestBundle.program, "--root", state] + words).run(input: input)
    }

    /// Runs a shell script as the container's process, in the foreground, and takes the container away.
    func run(script: String, id: String? = nil) async throws -> Command.Outcome {
        var copy = self
        copy.spec.process?.args = ["/bin/sh", "-c", script]
        return try await copy.run(id: id)
    }

    func run(id: String? = nil) async throws -> Command.Outcome {
        try write()
        return try await oci("run", "--bundle", path, id ?? self.id)
    }

    /// Runs a script and expects it to work; its output.
    func output(of script: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let outcome = try await run(script: script)
        #expect(outcome.code == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
        return outcome.output
    }

    /// Creates and starts a container that sleeps.
    func startSleeper() async throws {
        var copy = self
        copy.spec.process?.args = ["/bin/sleep", "1000"]
        try copy.write()
        let created = try await oci("create", "--bundle", path, id)
        try #require(created.code == 0, "\(created.errors)")
        let started = try await oci("start", id)
        try #require(started.code == 0, "\(started.errors)")
    }

    func stateValue() async throws -> JSONValue {
        let outcome = try await oci("state", id)
        try #require(outcome.code == 0, "\(outcome.errors)")
        return try JSONValue.parse(Array(outcome.output.utf8))
    }

    func status() async throws -> String { try await stateValue()["status"]?.stringValue ?? "" }

    func pid() async throws -> pid_t {
        let number = try await stateValue()["pid"]?.intValue
        return pid_t(try #require(number))
    }

    /// Waits until the container's process has ended.
    func waitStopped() async throws { try await eventually("\(id) has stopped") { try await status() == "stopped" } }

    /// Expects a `run` that fails, and that its one line says `text`.
    func expectFailure(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let outcome = try await run()
        #expect(outcome.code == 1, sourceLocation: sourceLocation)
        #expect(outcome.errors.contains(text), "\(outcome.errors)", sourceLocation: sourceLocation)
        let lines = outcome.errors.split(separator: "\n").filter {
            $0.hasPrefix("kubesim-oci run failed: ") || $0.hasPrefix("exec ")
        }
        #expect(lines.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(TestBundle.cgroups(id).isEmpty, sourceLocation: sourceLocation)
        #expect(!File.exists(state + "/" + id), sourceLocation: sourceLocation)
    }

    /// Whether memory is limited through version 1's files here.
    static let hasCgroupV1 = File.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")

    private static var hierarchies: [String] {
        let top = "/sys/fs/cgroup"
        return [top] + ((try? Directory.names(top)) ?? []).map { top + "/" + $0 }
    }

    static func cgroups(_ id: String) -> [String] {
        hierarchies.map { $0 + "/kubesim-test/" + id }.filter { File.exists($0) }
    }

    private static func deleteEverything(_ state: String) {
        for name in (try? Directory.names(state)) ?? [] where !name.hasPrefix("@") {
            _ = try? Command([program, "--root", state, "delete", "--force", name]).runBlocking()
        }
        // The tests' common parent, unless another test is in it.
        for hierarchy in hierarchies { rmdir(hierarchy + "/kubesim-test") }
    }
}

extension Spec {
    /// Changes the `linux` section.
    mutating func linux(_ change: (inout LinuxSection) -> Void) {
        var section = linux ?? LinuxSection()
        change(&section)
        linux = section
    }

    mutating func process(_ change: (inout OCISpec.Process) -> Void) {
        var value = process ?? OCISpec.Process()
        change(&value)
        process = value
    }
}
