import FoundationEssentials
import Glibc
import JSON
import Synchronization

/// A node under test, or the CRI alone: the release `kubesim` in a scratch directory of its own, beside whatever else runs
/// on the machine.
///
/// `TestNode.use` ends by stopping the node for good and asserting that nothing of it is left.
public final class TestNode: Sendable {
    public let root: String
    public let scratch: Scratch
    private let process = Mutex<pid_t?>(nil)
    private let kind: Kind
    private let flags: [String]
    private let environment: [String: String]

    /// Which of kubesim's daemons runs.
    public enum Kind: String, Sendable {
        case node, cri
    }

    private init(scratch: Scratch, kind: Kind, flags: [String], environment: [String: String]) {
        self.scratch = scratch
        self.kind = kind
        self.flags = flags
        self.environment = environment
        root = scratch.file("node")
    }

    public var manifests: String { root + "/manifests" }
    public var images: String { root + "/images" }
    public var socket: String { root + "/kubesim.sock" }
    public var podLogs: String { root + "/log/pods" }
    /// The cgroup that is this node's alone, as a sandbox's `cgroup_parent`.
    public var cgroup: String { "/kubesim-" + NodeTag.of(root) }
    /// What the node has said so far.
    public var log: String {
        String(decoding: FileManager.default.contents(atPath: scratch.file("node.log")) ?? Data(), as: UTF8.self)
    }

    /// Runs `body` with a node that has the sample images, and then makes sure that nothing is left.
    ///
    /// - Parameters:
    ///   - kind: `kubesim node` or `kubesim cri`
    ///   - flags: further flags of it
    ///   - environment: variables beside the test's own
    ///   - prepare: runs when the root directory is there and empty
    public static func use(
        _ kind: Kind = .node, flags: [String] = [], environment: [String: String] = [:],
        prepare: (TestNode) throws -> Void = { _ in }, _ body: (TestNode) async throws -> Void
    ) async throws {
        try await Scratch.use { scratch in
            let node = TestNode(scratch: scratch, kind: kind, flags: flags, environment: environment)
            _ = try scratch.directory("node")
            try prepare(node)
            for name in ["node/manifests", "node/images"] { _ = try scratch.directory(name) }
            for sample in ["busybox", "web"] {
                let tarball = Binaries.repository + "/rootfs-samples/out/\(sample).tar"
                try FileManager.default.copyItem(atPath: tarball, toPath: node.images + "/\(sample).tar")
            }
            do {
                try await node.start()
                try await body(node)
            } catch {
                print("---- the node's log ----\n\(node.log.suffix(20_000))\n---- end of the node's log ----")
                try? await node.destroy()
                throw error
            }
            try await node.destroy()
            try node.assertEmptyHouse()
        }
    }

    /// Starts the node's process and waits until it answers.
    public func start(ephemeral: Bool = false, environment: [String: String] = [:]) async throws {
        let output = open(scratch.file("node.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw POSIXFailure("open", scratch.file("node.log")) }
        defer { close(output) }
        let command = Command(
            [Binaries.path("kubesim"), kind.rawValue, "--root", root, "--config", try configuration()]
                + (ephemeral ? ["--ephemeral"] : []) + flags,
            environment: self.environment.merging(environment) { $1 })
        let pid = try command.start(output: output, errors: output)
        process.withLock { $0 = pid }
        try await eventually("the node answers") {
            guard kill(pid, 0) == 0, !Self.isZombie(pid) else {
                throw DeadlinePassed(description: "the node ended at its start:\n\(log.suffix(4000))")
            }
            return switch kind {
            case .node: try await kubesim("pods", "--root", root, "-o", "json").code == 0
            case .cri: try await crictl("version").code == 0
            }
        }
    }

    /// Ends the node's process and waits for its end; its pods go on unless it is ephemeral.
    public func stop(_ signal: Int32 = SIGTERM) async throws {
        guard let pid = process.withLock({ $0.take() }) else { return }
        kill(pid, signal)
        try await reap(pid)
    }

    /// Waits until the node's process has ended by itself.
    public func waitForEnd() async throws {
        guard let pid = process.withLock({ $0.take() }) else { return }
        try await reap(pid)
    }

    /// Whether the node's process is stopped (SIGSTOP).
    public var isStopped: Bool {
        guard let pid = process.withLock({ $0 }) else { return false }
        return ProcFile.text("/proc/\(pid)/stat").contains(") T ")
    }

    /// Sends the node's process a signal and goes on.
    public func signal(_ number: Int32) {
        if let pid = process.withLock({ $0 }) { kill(pid, number) }
    }

    /// Stops pods and node, and leaves what an ephemeral node leaves: nothing.
    public func destroy() async throws {
        try await stop(SIGKILL)
        try await start(ephemeral: true)
        try await stop(SIGTERM)
    }

    /// Runs `kubesim …` to its end.
    public func kubesim(_ arguments: String...) async throws -> Command.Outcome {
        try await Command([Binaries.path("kubesim")] + arguments).run()
    }

    /// Runs `kubesim crictl …` against this node.
    public func crictl(_ arguments: String...) async throws -> Command.Outcome {
        try await Command(
            [Binaries.path("kubesim"), "crictl", "--runtime-endpoint", "unix://" + socket] + arguments
        ).run()
    }

    /// The node's pods as `kubesim pods -o json` gives them.
    public func pods() async throws -> [JSONValue] {
        let outcome = try await kubesim("pods", "--root", root, "-o", "json")
        guard outcome.code == 0 else { throw DeadlinePassed(description: "kubesim pods: \(outcome.errors)") }
        return try JSONValue.parse(Array(outcome.output.utf8))["items"]?.arrayValue ?? []
    }

    /// Waits until exactly the named pods (without the node's suffix) are there and ready, and returns them.
    @discardableResult
    public func waitReady(_ names: String..., within limit: Duration = .seconds(60)) async throws -> [JSONValue] {
        try await waitReady(names, within: limit)
    }

    @discardableResult
    public func waitReady(_ names: [String], within limit: Duration = .seconds(60)) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        try await eventually("the pods \(names) are ready", within: limit) {
            found = try await pods()
            return found.count == names.count
                && names.allSatisfy { name in
                    found.contains { $0.podName.hasPrefix(name + "-") && $0.isReadyPod }
                }
        }
        return found
    }

    /// Runs a statement on the engine's state, of a node that is down, and returns the first column of what it gives.
    public func editState(_ statement: String) async throws -> [String] {
        let program = """
            import sqlite3, sys
            with sqlite3.connect(sys.argv[1]) as state:
                for row in state.execute(sys.argv[2]).fetchall(): print(row[0])
            """
        let outcome = try await Command(["python3", "-c", program, root + "/state.db", statement]).run()
        guard outcome.code == 0 else { throw DeadlinePassed(description: "state.db: \(outcome.errors)") }
        return outcome.output.split(separator: "\n").map(String.init)
    }

    /// Writes a manifest whole: beside the directory first, then renamed into it.
    public func drop(_ name: String, _ text: String) throws {
        let beside = root + "/manifest-\(name).tmp"
        try Data(text.utf8).write(to: URL(filePath: beside))
        guard rename(beside, manifests + "/\(name).yaml") == 0 else { throw POSIXFailure("rename", beside) }
    }

    public func removeManifest(_ name: String) throws {
        guard unlink(manifests + "/\(name).yaml") == 0 else { throw POSIXFailure("unlink", name) }
    }

    /// What `kill -0` can't tell: an ended child that nobody has reaped.
    private static func isZombie(_ pid: pid_t) -> Bool {
        ProcFile.text("/proc/\(pid)/stat").contains(") Z ")
    }

    private func reap(_ pid: pid_t) async throws {
        try await eventually("the node ends", within: .seconds(120)) {
            var status: Int32 = 0
            return waitpid(pid, &status, WNOHANG) != 0
        }
    }

    /// A configuration of the test's own, so that the host's doesn't reach in: also no CNI configuration of the host.
    private func configuration() throws -> String {
        let confDir = try scratch.directory("cni-conf")
        return try scratch.write("kubesim.yaml", "cniConfDir: \(confDir)\n")
    }
}

extension JSONValue {
    /// `metadata.name` of a Kubernetes object.
    public var podName: String { self["metadata"]?["name"]?.stringValue ?? "" }

    /// The condition Ready is True.
    public var isReadyPod: Bool {
        (self["status"]?["conditions"]?.arrayValue ?? []).contains {
            $0["type"]?.stringValue == "Ready" && $0["status"]?.stringValue == "True"
        }
    }

    public var podIP: String { self["status"]?["podIP"]?.stringValue ?? "" }

    public var restartCount: Int64 {
        (self["status"]?["containerStatuses"]?.arrayValue ?? []).reduce(0) { $0 + ($1["restartCount"]?.intValue ?? 0) }
    }
}
