import Glibc
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
    public var deadline: Duration

    public init(
        program: String, sandbox: String, directory: String, runtime: String, runtimeRoot: String,
        networkNamespace: String? = nil, deadline: Duration = .seconds(10)
    ) {
        self.program = program
        self.sandbox = sandbox
        self.directory = directory
        self.runtime = runtime
        self.runtimeRoot = runtimeRoot
        self.networkNamespace = networkNamespace
        self.deadline = deadline
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

    init(events: AsyncStream<ShimEvent>) {
        self.events = events
    }

    /// Starts a shim and connects to it. Fails with the shim's own line when it can't start; nothing is left then.
    public static func start(_ launch: ShimLaunch) async throws(ShimFailure) -> ShimConnection {
        throw ShimFailure(.notStarted, "starting a shim is not done yet")
    }

    /// Connects to the shim that serves a sandbox's directory.
    public static func connect(directory: String) async throws(ShimFailure) -> ShimConnection {
        throw ShimFailure(.disconnected, "connecting to a shim is not done yet")
    }

    /// What the shim holds.
    public func info() async throws(ShimFailure) -> ShimInfo { throw notDone }
    /// Creates a container. Returns the id of its first process, which waits for `start`.
    public func create(_ request: CreateRequest) async throws(ShimFailure) -> Int32 { throw notDone }
    /// Starts a created container. Returns when the runtime did, before any `exited` event of it.
    public func start(
        _ container: String, deadline: Duration = .seconds(60)
    ) async throws(ShimFailure) { throw notDone }
    /// Signals a container's first process, every process of it (`all`), or an exec. Success when it has ended already.
    public func kill(
        _ container: String, exec: String? = nil, signal: Int32, all: Bool = false, deadline: Duration = .seconds(60)
    ) async throws(ShimFailure) { throw notDone }
    /// Deletes an exited container (with `force`: kills it first). Success when there is none. Returns how it ended.
    @discardableResult
    public func delete(
        _ container: String, force: Bool = false, deadline: Duration = .seconds(60)
    ) async throws(ShimFailure) -> ExitRecord? { throw notDone }
    /// Starts one more process in a container. Its exit comes as an event, and to `waitForExit`.
    public func exec(
        _ request: ExecRequest, streams: StreamDescriptors = StreamDescriptors()
    ) async throws(ShimFailure) -> ExecHandle { throw notDone }
    /// Copies a container's output to the descriptors from now on and feeds it from `stdin`. An attached reader that falls
    /// 1 MiB behind (with a terminal: takes nothing for 5 s) is let go: its descriptors are closed.
    public func attach(_ container: String, streams: StreamDescriptors) async throws(ShimFailure) { throw notDone }
    /// Resizes a container's terminal. (An exec's: `PseudoTerminal.resize`.)
    public func resize(_ container: String, _ size: TerminalSize) async throws(ShimFailure) { throw notDone }
    /// Closes a container's standard input; what was written to it before is still read.
    public func closeStdin(_ container: String) async throws(ShimFailure) { throw notDone }
    /// Opens the log file anew after a rotation has renamed it.
    public func reopenLog(_ container: String) async throws(ShimFailure) { throw notDone }
    /// Waits until a container (or an exec of it) has ended; at once when it has. Many may wait for the same.
    public func waitForExit(_ container: String, exec: String? = nil) async throws(ShimFailure) -> ExitRecord {
        throw notDone
    }
    /// Ends the shim; refused while it holds containers.
    public func shutdown() async throws(ShimFailure) { throw notDone }
    /// Closes this connection; the shim lives on.
    public func disconnect() {}

    private var notDone: ShimFailure { ShimFailure(.noAnswer, "this request of the shim is not done yet") }
}
