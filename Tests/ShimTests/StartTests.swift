import FoundationEssentials
import Glibc
import Linux
import ShimClient
import ShimProtocol
import TestKit
import Testing

@Suite("Starting a shim", .needs(.root, .programs))
struct StartTests {
    private func launch(_ scratch: Scratch, netns: String? = nil) -> ShimLaunch {
        ShimLaunch(
            program: Binaries.path("kubesim-shim"), sandbox: "s1", directory: scratch.file("shim"),
            runtime: "/bin/false", runtimeRoot: scratch.file("runtime"), networkNamespace: netns)
    }

    private func failure(_ launch: ShimLaunch) async -> String {
        let failure = await #expect(throws: ShimFailure.self) { _ = try await ShimConnection.start(launch) }
        return failure?.message ?? ""
    }

    /// Read with our own reader: Foundation's stops after the first page of a file in /proc.
    private func isMounted(_ path: String) throws -> Bool {
        try MountInfo.all().contains { $0.mountPoint == path }
    }

    @Test func `Socket and directory are root's alone, and a second shim is refused`() async throws {
        try await Scratch.use(in: "/tmp") { scratch in
            let directory = try scratch.directory("shim", mode: 0o700)
            let shim = try await ShimConnection.start(launch(scratch))
            var status = stat()
            #expect(stat(directory + "/shim.sock", &status) == 0 && status.st_mode & 0o7777 == 0o600)
            #expect(await failure(launch(scratch)).contains("another shim serves \(directory)"))
            #expect(try await shim.info().sandbox == "s1")
            try await shim.shutdown()
        }
    }

    @Test func `A directory that is open to others, a link, or not there is refused by name`() async throws {
        try await Scratch.use(in: "/tmp") { scratch in
            #expect(await failure(launch(scratch)).contains("\(scratch.file("shim")): No such file or directory"))
            let directory = try scratch.directory("shim", mode: 0o755)
            #expect(await failure(launch(scratch)).contains("must be 0700"))
            #expect(chmod(directory, 0o700) == 0 && rename(directory, scratch.file("real")) == 0)
            #expect(symlink(scratch.file("real"), directory) == 0)
            #expect(await failure(launch(scratch)).contains(directory))
            #expect(unlink(directory) == 0)
        }
    }

    @Test func `A stranger is turned away even when he gets at the socket`() async throws {
        try await Scratch.use(in: "/tmp") { scratch in
            let directory = try scratch.directory("shim", mode: 0o700)
            let shim = try await ShimConnection.start(launch(scratch))
            // What must never happen, done on purpose: everyone may connect.
            for path in [scratch.path, directory] { #expect(chmod(path, 0o755) == 0) }
            #expect(chmod(directory + "/shim.sock", 0o666) == 0)
            let script = """
                import socket, os, sys
                os.setgid(65534); os.setuid(65534)
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.settimeout(20)
                s.connect(sys.argv[1])
                try:
                    s.send(b'{"id":1,"verb":"info"}')
                    print(len(s.recv(1000)))
                except (BrokenPipeError, ConnectionResetError):
                    print(0)
                """
            let outcome = try await Command(["python3", "-c", script, directory + "/shim.sock"]).run()
            #expect(outcome.output == "0\n", "\(outcome.errors)")
            #expect(chmod(directory, 0o700) == 0)
            try await shim.shutdown()
        }
    }

    @Test func `A network namespace is made with loopback up, told, and removed`() async throws {
        try await Scratch.use(in: "/tmp") { scratch in
            _ = try scratch.directory("shim", mode: 0o700)
            let path = "/run/netns/kubesim-test-\(getpid())-\(Int.random(in: 0..<1_000_000))"
            scratch.atEnd { try? removeNetworkNamespace(path) }
            let shim = try await ShimConnection.start(launch(scratch, netns: path))
            #expect(try await shim.info().networkNamespace == path)
            #expect(try isMounted(path))
            let loopback = try await Command(["ip", "-n", String(path.dropFirst("/run/netns/".count)), "addr"]).run()
            #expect(loopback.output.contains("127.0.0.1/8"), "\(loopback.errors)")
            // Not the host's.
            var own = stat()
            var made = stat()
            #expect(stat("/proc/self/ns/net", &own) == 0 && stat(path, &made) == 0 && own.st_ino != made.st_ino)
            try await shim.shutdown()
            try await eventually("the shim is gone") { ProcessTable.mentioning(scratch.path).isEmpty }
            #expect(try isMounted(path))
            // Somebody's namespace is never taken over.
            #expect(await failure(launch(scratch, netns: path)).contains("mounted already on \(path)"))
            #expect(try isMounted(path))
            try removeNetworkNamespace(path)
            #expect(access(path, F_OK) != 0)
            #expect(try !isMounted(path))
            try removeNetworkNamespace(path)
        }
    }

    @Test func `A start that fails later leaves no network namespace`() async throws {
        try await Scratch.use(in: "/tmp") { scratch in
            let directory = try scratch.directory("shim", mode: 0o700)
            // A directory in the socket's place can't be unlinked.
            _ = try scratch.directory("shim/shim.sock")
            let path = "/run/netns/kubesim-test-\(getpid())-\(Int.random(in: 0..<1_000_000))"
            let message = await failure(launch(scratch, netns: path))
            #expect(message.contains("\(directory)/shim.sock") || message.contains("shim.sock"), "\(message)")
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test func `Wrong usage is told in one line`() async throws {
        let shim = Binaries.path("kubesim-shim")
        let cases: [([String], String)] = [
            (["start"], "kubesim-shim: --id is missing\n"),
            (["start", "--id"], "kubesim-shim: --id needs a value\n"),
            (["start", "--colour", "red"], "kubesim-shim: unknown option --colour\n"),
            (
                ["start", "--id", "x", "--dir", "relative", "--runtime", "/r", "--runtime-root", "/r"],
                "kubesim-shim: --dir 'relative' is not absolute\n"
            ),
            (
                ["start", "--id", "../x", "--dir", "/d", "--runtime", "/r", "--runtime-root", "/r"],
                "kubesim-shim: --id '../x' may hold letters, digits and _.+- only, 128 at most\n"
            ),
        ]
        for (arguments, line) in cases {
            let outcome = try await Command([shim] + arguments).run()
            #expect(outcome.code == 2)
            #expect(outcome.errors == line)
        }
        #expect(try await Command([shim, "version"]).run().output.hasPrefix("kubesim-shim "))
    }

    @Test func `An idle shim is small`() async throws {
        try await Scratch.use(in: "/tmp") { scratch in
            _ = try scratch.directory("shim", mode: 0o700)
            let shim = try await ShimConnection.start(launch(scratch))
            let pid = try await shim.info().pid
            var kilobytes: [String: Int] = [:]
            for line in try String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8).split(separator: "\n")
            {
                let fields = line.split(separator: " ")
                if fields.count == 3, let value = Int(fields[1]) { kilobytes[String(fields[0])] = value }
            }
            print(
                "idle shim: RSS \(kilobytes["Rss:"] ?? 0) kB, PSS \(kilobytes["Pss:"] ?? 0) kB,",
                "private dirty \(kilobytes["Private_Dirty:"] ?? 0) kB")
            #expect(kilobytes["Pss_Anon:"] ?? .max < 600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count == 1)
            try await shim.shutdown()
        }
    }
}
