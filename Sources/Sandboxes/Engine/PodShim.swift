import Logging
import ShimClient
import ShimProtocol

/// What the engine asks of a pod's shim; `ShimConnection` is the real one, tests bring their own.
protocol PodShim: Sendable {
    var events: AsyncStream<ShimEvent> { get }
    func info() async throws(ShimFailure) -> ShimInfo
    func create(_ request: CreateRequest) async throws(ShimFailure) -> Int32
    func start(_ container: String, deadline: Duration) async throws(ShimFailure)
    func kill(_ container: String, exec: String?, signal: Int32, all: Bool, deadline: Duration)
        async throws(ShimFailure)
    @discardableResult
    func delete(_ container: String, force: Bool, deadline: Duration) async throws(ShimFailure) -> ExitRecord?
    func exec(_ request: ExecRequest, streams: StreamDescriptors) async throws(ShimFailure) -> ExecHandle
    func attach(_ container: String, streams: StreamDescriptors) async throws(ShimFailure)
    func resize(_ container: String, _ size: TerminalSize) async throws(ShimFailure)
    func reopenLog(_ container: String) async throws(ShimFailure)
    func waitForExit(_ container: String, exec: String?) async throws(ShimFailure) -> ExitRecord
    func shutdown() async throws(ShimFailure)
    func disconnect() async
}

extension ShimConnection: PodShim {}

extension Engine {
    /// Asks something of a pod's shim that may be dead: false when it is gone, an error when it refuses.
    ///
    /// One that hangs is as good as gone, and is ended: nothing keeps a pod from being stopped but the pod itself.
    func ask(
        shimOf id: SandboxID, _ question: (any PodShim) async throws(ShimFailure) -> Void
    ) async throws(ShimFailure) -> Bool {
        guard let shim = sandboxes[id]?.shim else { return false }
        do {
            try await question(shim)
            return true
        } catch {
            switch error.code {
            case .disconnected: return false
            case .noAnswer:
                logger.error(
                    "a pod's shim hangs: it is ended, and its pod with it",
                    metadata: ["pod": "\(podName(id))", "reason": "\(error)"])
                await StrayShims.end(id, below: places.state + "/sandboxes")
                return false
            default: throw error
            }
        }
    }

    /// The same for what can be done without a shim too: false when it could not do it, for whatever reason.
    func tryWith(
        shimOf id: SandboxID, _ question: (any PodShim) async throws(ShimFailure) -> Void
    ) async -> Bool {
        do {
            return try await ask(shimOf: id, question)
        } catch {
            logger.warning(
                "a pod's shim can't do its part: it is done without it",
                metadata: ["pod": "\(podName(id))", "reason": "\(error)"])
            return false
        }
    }
}

/// How shims are started and found again.
protocol ShimLauncher: Sendable {
    func start(_ launch: ShimLaunch) async throws(ShimFailure) -> any PodShim
    func connect(directory: String) async throws(ShimFailure) -> any PodShim
}

/// Starts `kubesim-shim`, connects to its socket.
struct ShimPrograms: ShimLauncher {
    var patience = ShimPatience()

    func start(_ launch: ShimLaunch) async throws(ShimFailure) -> any PodShim {
        try await ShimConnection.start(launch, patience: patience)
    }

    func connect(directory: String) async throws(ShimFailure) -> any PodShim {
        try await ShimConnection.connect(directory: directory, patience: patience)
    }
}
