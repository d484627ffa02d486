import Dispatch
import Glibc
import Linux
import ShimProtocol

/// How a shim is started for a sandbox.
public struct ShimLaunch: Sendable, Hashable {
    /// The `kubesim-shim` program.
    public var program: String
    public var sandbox: String
    /// The sandbox's private directory (0700, root's); holds `shim.sock`, `shim.pid` and the exit records.
    public var directory: String
    /// The OCI runtime, and its `--root`.
    public var runtime: String
    public var runtimeRoot: String
    /// The path on which the shim makes a network namespace, refused when something is mounted there already; nil makes none.
    public var networkNamespace: String?
    /// A user namespace that the shim makes, and that owns the network namespace; nil leaves the pod in the host's.
    public var userNamespace: ShimUserNamespace?
    /// The runtime asks systemd for its cgroups.
    public var systemdCgroup: Bool
    public var deadline: Duration

    public init(
        program: String, sandbox: String, directory: String, runtime: String, runtimeRoot: String,
        networkNamespace: String? = nil, userNamespace: ShimUserNamespace? = nil, systemdCgroup: Bool = false,
        deadline: Duration = .seconds(10)
    ) {
        self.program = program
        self.sandbox = sandbox
        self.directory = directory
        self.runtime = runtime
        self.runtimeRoot = runtimeRoot
        self.networkNamespace = networkNamespace
        self.userNamespace = userNamespace
        self.systemdCgroup = systemdCgroup
        self.deadline = deadline
    }
}

/// A pod's user namespace: where it is mounted, and its ids. Taken away with ``removeNetworkNamespace(_:)``, too.
public struct ShimUserNamespace: Sendable, Hashable {
    public struct Range: Sendable, Hashable {
        public var inside: UInt32
        public var outside: UInt32
        public var count: UInt32

        public init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }

    public var path: String
    public var uids: [Range]
    public var gids: [Range]

    public init(path: String, uids: [Range], gids: [Range]) {
        self.path = path
        self.uids = uids
        self.gids = gids
    }
}

/// Descriptors lent to a call: the shim gets duplicates, the caller keeps (and closes) its own after the call returned.
/// Output descriptors that are attached become non-blocking on the shim's side; a nil is `/dev/null`.
public struct StreamDescriptors: Sendable, Hashable {
    public var stdin: Int32?
    public var stdout: Int32?
    public var stderr: Int32?

    public init(stdin: Int32? = nil, stdout: Int32? = nil, stderr: Int32? = nil) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
    }
}

/// How long a shim is waited for before it counts as hung.
public struct ShimPatience: Sendable, Hashable {
    /// For what the shim answers by itself, without the runtime.
    public var answer: Duration
    /// What a request gets on top of the time that the runtime has, so that the shim's own word comes first.
    public var margin: Duration { answer * 3 / 2 }

    public init(answer: Duration = .seconds(10)) { self.answer = answer }
}

/// A process that `exec` started.
public struct ExecHandle: Sendable {
    public var pid: Int32
    /// With `terminal`: where its input is written and its output read.
    public var terminal: PseudoTerminal?
}

/// A connection to one pod's shim. Every request has a deadline; when the connection breaks, all that wait get
/// `ShimFailure` with `.disconnected` and `events` ends with `.disconnected`. Reconnect with `connect` and ask `info`.
public actor ShimConnection {
    /// What happens in the pod, from the moment of connecting. For one consumer; ends with `.disconnected`.
    public nonisolated let events: AsyncStream<ShimEvent>

    private let short: Duration
    private let margin: Duration
    private let wire: ShimWire
    private let exits: ExitBook
    private let directory: String

    private init(_ socket: consuming UnixSocket, directory: String, patience: ShimPatience) {
        short = patience.answer
        margin = patience.margin
        let (stream, continuation) = AsyncStream.makeStream(of: ShimEvent.self)
        let exits = ExitBook()
        events = stream
        self.exits = exits
        self.directory = directory
        wire = ShimWire(socket: socket, path: directory) { event in
            switch event {
            case .exited(let container, let exec, let record):
                exits.heard(ExitBook.Key(container: container, exec: exec), record)
                continuation.yield(event)
            case .oom, .outputLost: continuation.yield(event)
            case .disconnected:
                exits.broke(ShimFailure(.disconnected, "the shim of \(directory) is gone"))
                continuation.yield(event)
                continuation.finish()
            }
        }
    }

    deinit {
        wire.close(ShimFailure(.disconnected, "the connection to the shim of \(directory) was closed"))
    }

    /// Starts a shim and connects to it. Fails with the shim's own line when it can't start; nothing is left then.
    public static func start(
        _ launch: ShimLaunch, patience: ShimPatience = ShimPatience()
    ) async throws(ShimFailure) -> ShimConnection {
        try await ShimStarter.run(launch)
        return try await connect(directory: launch.directory, patience: patience)
    }

    /// Connects to the shim that serves a sandbox's directory.
    public static func connect(
        directory: String, patience: ShimPatience = ShimPatience()
    ) async throws(ShimFailure) -> ShimConnection {
        let result: Result<ShimConnection, ShimFailure> = await withCheckedContinuation { waiter in
            DispatchQueue.global().async { waiter.resume(returning: open(directory, patience)) }
        }
        let connection = try result.get()
        connection.wire.begin()
        _ = try await connection.wire.ask(.subscribe, deadline: patience.answer)
        return connection
    }

    private static func open(_ directory: String, _ patience: ShimPatience) -> Result<ShimConnection, ShimFailure> {
        do throws(SystemError) {
            let socket = try UnixSocket.connect(to: directory + "/shim.sock", .sequencedPacket)
            guard try socket.peer().uid == geteuid() else {
                throw SystemError("the shim belongs to another user: connect", path: directory, errno: .perm)
            }
            return .success(ShimConnection(socket, directory: directory, patience: patience))
        } catch {
            return .failure(ShimFailure(.disconnected, "no shim answers: \(error)"))
        }
    }

    /// What the shim holds.
    public func info() async throws(ShimFailure) -> ShimInfo {
        var whole: ShimInfo?
        while true {
            let page = try await wire.ask(.info(after: whole?.containers.last?.id), deadline: short).reply
            guard let info = page.info else { throw ShimFailure(.invalid, "the shim's answer to info holds no info") }
            if whole == nil { whole = info } else { whole?.containers += info.containers }
            if let whole, !page.more || info.containers.isEmpty { return whole }
        }
    }

    /// Creates a container. Returns the id of its first process, which waits for `start`.
    public func create(_ request: CreateRequest) async throws(ShimFailure) -> Int32 {
        exits.forget(ExitBook.Key(container: request.id))
        let deadline = Duration.milliseconds(request.deadlineMilliseconds) + margin
        let answer = try await wire.ask(.create(request), deadline: deadline)
        guard let pid = answer.reply.pid else {
            throw ShimFailure(.invalid, "the shim's answer to create holds no pid")
        }
        return pid
    }

    /// Starts a created container. Returns when the runtime did, before any `exited` event of it.
    public func start(
        _ container: String, deadline: Duration = .seconds(60)
    ) async throws(ShimFailure) {
        let request = Request.start(container: container, deadlineMilliseconds: deadline.wholeMilliseconds)
        _ = try await wire.ask(request, deadline: deadline + margin)
    }

    /// Signals a container's first process, every process of it (`all`), or an exec. Success when it has ended already.
    public func kill(
        _ container: String, exec: String? = nil, signal: Int32, all: Bool = false, deadline: Duration = .seconds(60)
    ) async throws(ShimFailure) {
        let request = KillRequest(
            container: container, exec: exec, signal: signal, all: all, deadlineMilliseconds: deadline.wholeMilliseconds
        )
        _ = try await wire.ask(.kill(request), deadline: all ? deadline + margin : short)
    }

    /// Deletes an exited container (with `force`: kills it first). Success when there is none. Returns how it ended.
    @discardableResult
    public func delete(
        _ container: String, force: Bool = false, deadline: Duration = .seconds(60)
    ) async throws(ShimFailure) -> ExitRecord? {
        let request = Request.delete(
            container: container, force: force, deadlineMilliseconds: deadline.wholeMilliseconds)
        return try await wire.ask(request, deadline: deadline + margin).reply.exit
    }

    /// Starts one more process in a container. Cancelling the task doesn't end the call: a process that was started must be
    /// known to whoever has to end it. Its exit comes as an event, and to `waitForExit`.
    ///
    /// - Parameter streams: not used with a terminal, whose master is in what is returned
    public func exec(
        _ request: ExecRequest, streams: StreamDescriptors = StreamDescriptors()
    ) async throws(ShimFailure) -> ExecHandle {
        let key = ExitBook.Key(container: request.container, exec: request.exec)
        exits.forget(key)
        let process = try processFile(request)
        let streams = request.terminal ? StreamDescriptors() : streams
        let answer = try await wire.ask(
            .exec(request, streams: streams.set), descriptors: [process.raw] + streams.numbers,
            deadline: .milliseconds(request.deadlineMilliseconds) + margin, isLasting: true)
        guard let pid = answer.reply.pid else { throw ShimFailure(.invalid, "the shim's answer to exec holds no pid") }
        exits.started(key)
        return ExecHandle(pid: pid, terminal: answer.terminal)
    }

    /// Copies a container's output to the descriptors from now on and feeds it from `stdin`. An attached reader that falls
    /// 1 MiB behind (with a terminal: takes nothing for 5 s) is let go: its descriptors are closed.
    public func attach(_ container: String, streams: StreamDescriptors) async throws(ShimFailure) {
        _ = try await wire.ask(
            .attach(container: container, streams: streams.set), descriptors: streams.numbers, deadline: short)
    }

    /// Resizes a container's terminal. (An exec's: `PseudoTerminal.resize`.)
    public func resize(_ container: String, _ size: TerminalSize) async throws(ShimFailure) {
        _ = try await wire.ask(.resize(container: container, size), deadline: short)
    }

    /// Closes a container's standard input; what was written to it before is still read.
    public func closeStdin(_ container: String) async throws(ShimFailure) {
        _ = try await wire.ask(.closeStdin(container: container), deadline: short)
    }

    /// Opens the log file anew after a rotation has renamed it.
    public func reopenLog(_ container: String) async throws(ShimFailure) {
        _ = try await wire.ask(.reopenLog(container: container), deadline: short)
    }

    /// Waits until a container (or an exec of it) has ended; at once when it has. Many may wait for the same. Cancelling the
    /// task ends the wait with `.abandoned`.
    public func waitForExit(_ container: String, exec: String? = nil) async throws(ShimFailure) -> ExitRecord {
        let key = ExitBook.Key(container: container, exec: exec)
        let known = exits.known(key)
        if let record = known.record { return record }
        if !known.willBeHeard {
            // Events come since before this question, so that an exit is either in the answer or will be heard.
            guard let found = try await info()[container: container] else {
                throw ShimFailure(.notFound, "no container \(container) in the shim of \(directory)")
            }
            if let exec {
                guard let known = found.execs.first(where: { $0.id == exec }) else {
                    throw ShimFailure(.notFound, "container \(container) has no exec \(exec)")
                }
                if let record = known.exit { return record }
            } else if let record = found.exit {
                return record
            }
        }
        return try await exits.wait(key)
    }

    /// Ends the shim; refused while it holds containers.
    public func shutdown() async throws(ShimFailure) {
        _ = try await wire.ask(.shutdown, deadline: short)
    }

    /// Closes this connection; the shim lives on.
    public func disconnect() {
        wire.close(ShimFailure(.disconnected, "the connection to the shim of \(directory) was closed"))
    }
}

extension Duration {
    /// At least 1.
    package var wholeMilliseconds: Int64 {
        max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}

extension StreamDescriptors {
    fileprivate var set: StreamSet {
        var set: StreamSet = []
        if stdin != nil { set.insert(.stdin) }
        if stdout != nil { set.insert(.stdout) }
        if stderr != nil { set.insert(.stderr) }
        return set
    }

    fileprivate var numbers: [Int32] { [stdin, stdout, stderr].compactMap { $0 } }
}
