import FoundationEssentials
import Glibc
import JSON
import Linux
import ShimClient
import ShimProtocol
import TestKit
import Testing

/// A pod without network and images: a shim, and bundles of busybox. Everything it made is gone after `use`.
final class TestPod: Sendable {
    /// One line of a CRI log.
    struct Line: Equatable {
        let stream: String
        let tag: String
        let text: String
    }

    let scratch: Scratch
    let id: String
    let runtime: String
    var directory: String { scratch.file("shim") }
    var logs: String { scratch.file("logs") }

    private init(_ scratch: Scratch) throws {
        self.scratch = scratch
        id = "shimtest-" + String(scratch.path.split(separator: "-").last ?? "x")
        runtime = Self.runtimePath
        let rootfs = try scratch.directory("rootfs/bin")
        for name in ["dev", "proc", "sys", "tmp", "etc"] { _ = try scratch.directory("rootfs/\(name)") }
        try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: rootfs + "/busybox")
        for name in ["sh", "sleep", "cat", "echo", "head", "yes", "true", "stty", "tr", "dd", "kill"] {
            #expect(symlink("busybox", rootfs + "/" + name) == 0)
        }
        _ = try scratch.directory("shim", mode: 0o700)
    }

    /// Ours where it is built, or what `KUBESIM_TEST_RUNTIME` names.
    static let runtimePath: String = {
        if let chosen = ProcessInfo.processInfo.environment["KUBESIM_TEST_RUNTIME"] { return chosen }
        let own = Binaries.path("kubesim-oci")
        return access(own, X_OK) == 0 ? own : "/usr/sbin/runc"
    }()

    static func use<Result>(_ body: (TestPod, ShimConnection) async throws -> Result) async throws -> Result {
        try await Scratch.use(in: "/tmp") { scratch in
            let pod = try TestPod(scratch)
            scratch.atEnd { await pod.end() }
            return try await body(pod, pod.start())
        }
    }

    func start(networkNamespace: String? = nil) async throws -> ShimConnection {
        try await ShimConnection.start(launch(networkNamespace: networkNamespace))
    }

    func launch(networkNamespace: String? = nil, runtime: String? = nil) -> ShimLaunch {
        ShimLaunch(
            program: Binaries.path("kubesim-shim"), sandbox: id, directory: directory, runtime: runtime ?? self.runtime,
            runtimeRoot: scratch.file("runtime"), networkNamespace: networkNamespace)
    }

    /// A bundle that runs a shell script, and the request to create it.
    func request(
        _ name: String, _ script: String, terminal: Bool = false, stdin: Bool = false, stdinOnce: Bool = false,
        sharedPIDs: Bool = false, memoryLimit: Int64? = nil, program: [String]? = nil
    ) throws -> CreateRequest {
        let bundle = try scratch.directory("bundles/\(name)")
        var linux: JSONValue = [
            "cgroupsPath": .string("/\(id)/\(name)"),
            "namespaces": .array(
                (["mount", "ipc", "uts"] + (sharedPIDs ? [] : ["pid"])).map { ["type": .string($0)] }),
        ]
        if let memoryLimit { linux["resources"] = ["memory": ["limit": .int(memoryLimit), "swap": .int(memoryLimit)]] }
        let config: JSONValue = [
            "ociVersion": "1.0.2", "process": process(program ?? ["/bin/sh", "-c", script], terminal: terminal),
            "root": ["path": .string(scratch.file("rootfs"))],
            "mounts": [
                ["destination": "/proc", "type": "proc", "source": "proc"],
                ["destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]],
                [
                    "destination": "/dev/pts", "type": "devpts", "source": "devpts",
                    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
                ],
            ],
            "linux": linux,
        ]
        try scratch.write("bundles/\(name)/config.json", String(decoding: config.encoded(pretty: true), as: UTF8.self))
        return CreateRequest(
            id: "\(id)-\(name)", bundle: bundle, log: LogPlace(directory: logs, path: "\(name)/0.log"),
            terminal: terminal, stdin: stdin, stdinOnce: stdinOnce, privatePIDNamespace: !sharedPIDs)
    }

    func process(_ arguments: [String], terminal: Bool = false) -> JSONValue {
        let capabilities: JSONValue = ["CAP_KILL", "CAP_SYS_PTRACE"]
        return [
            "terminal": .bool(terminal), "user": ["uid": 0, "gid": 0], "args": .array(arguments.map { .string($0) }),
            "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/",
            "capabilities": ["bounding": capabilities, "effective": capabilities, "permitted": capabilities],
        ]
    }

    func exec(_ container: String, _ name: String, _ script: String, terminal: Bool = false) -> ExecRequest {
        ExecRequest(
            container: container, exec: name,
            process: process(["/bin/sh", "-c", script], terminal: terminal).encoded(pretty: false), terminal: terminal)
    }

    func logText(_ name: String, file: String = "0.log") throws -> String {
        try String(contentsOfFile: "\(logs)/\(name)/\(file)", encoding: .utf8)
    }

    func logLines(_ name: String) throws -> [Line] {
        // As bytes: to a String a terminal's "\r\n" is one character.
        try logText(name).utf8.split(separator: UInt8(ascii: "\n")).map { line in
            let fields = String(decoding: line, as: UTF8.self).split(
                separator: " ", maxSplits: 3, omittingEmptySubsequences: false
            ).map(String.init)
            try #require(fields.count == 4)
            try #require(fields[0].count == 30)
            return Line(stream: fields[1], tag: fields[2], text: fields[3])
        }
    }

    var shimPID: pid_t? {
        pid_t((try? String(contentsOfFile: directory + "/shim.pid", encoding: .utf8))?.dropLast() ?? "")
    }

    /// Nothing may be left: no process, no cgroup, no runtime state, no socket.
    private func end() async {
        do {
            if shimPID != nil {
                let connection = try await ShimConnection.connect(directory: directory)
                for container in try await connection.info().containers {
                    try await connection.delete(container.id, force: true)
                }
                try await connection.shutdown()
                await connection.disconnect()
            }
            let home = scratch.path
            try await eventually("no process of \(id) is left") { ProcessTable.mentioning(home).isEmpty }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
            let state = try? FileManager.default.contentsOfDirectory(atPath: scratch.file("runtime"))
            #expect(state ?? [] == [])
        } catch {
            Issue.record("clean-up of \(id): \(error)")
            if let pid = shimPID { Glibc.kill(pid, SIGKILL) }
        }
        removeCgroups()
    }

    /// The runtime removes a container's cgroup, the parent is ours.
    private func removeCgroups() {
        let top = "/sys/fs/cgroup"
        for place in [""] + ((try? FileManager.default.contentsOfDirectory(atPath: top)) ?? []).map({ "/" + $0 }) {
            let path = "\(top)\(place)/\(id)"
            guard access(path, F_OK) == 0 else { continue }
            #expect(rmdir(path) == 0, "\(path): \(Errno.current)")
        }
    }
}

/// A pipe whose ends are closed one by one.
final class TestPipe: @unchecked Sendable {
    let reading: Int32
    private(set) var writing: Int32

    init() throws {
        var pipe = try Pipe()
        reading = pipe.takeReading()
        writing = pipe.takeWriting()
    }

    deinit {
        close(reading)
        closeWriting()
    }

    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// Reads until what was read satisfies, or the end.
    func read(until done: @escaping @Sendable (String) -> Bool = { _ in false }) async throws -> String {
        try await readText(reading, until: done)
    }
}

/// Reads a descriptor until the text satisfies or it ends (a terminal's EIO counts), with a deadline. Carriage returns are
/// left out: to a String "\r\n" is one character.
func readText(_ descriptor: Int32, until done: @escaping @Sendable (String) -> Bool) async throws -> String {
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    var bytes: [UInt8] = []
    try await eventually("enough is read") {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EAGAIN { return done(String(decoding: bytes, as: UTF8.self)) }
            guard count > 0 else { return true }
            bytes += buffer[..<count].filter { $0 != UInt8(ascii: "\r") }
            if done(String(decoding: bytes, as: UTF8.self)) { return true }
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
