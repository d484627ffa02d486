import Glibc
import JSON
import Linux
import ShimProtocol

/// The shim: parent of a pod's containers, and the one who answers for them. One thread; see `EventLoop`.
final class ShimServer {
    static let version = "0.1.0"
    /// More clients than a node agent and a few people need.
    static let mostClients = 64

    /// Whose process it is.
    enum Owner {
        case runtime(RuntimeCommand)
        case container(PodContainer)
        case exec(PodContainer, ContainerExec)
    }

    let options: ShimOptions
    let directory: PrivateDirectory
    let loop: EventLoop
    let scratchpad = Scratchpad()
    var containers: [String: PodContainer] = [:]
    var owners: [pid_t: Owner] = [:]
    /// Ends of processes whose owner is not known yet, because the runtime that made them still runs.
    var unclaimed: [pid_t: ProcessEnd] = [:]
    var runningCommands = 0
    private var clients: [ObjectIdentifier: ClientConnection] = [:]
    private let listener: UnixSocket
    private let signals: SignalDescriptor
    private var doors: [Door] = []
    private var lastNumber = 0

    /// - Parameter listener: listens already, so that no client comes too early
    init(
        options: ShimOptions, directory: consuming PrivateDirectory, listener: consuming UnixSocket
    ) throws(SystemError) {
        self.options = options
        self.directory = directory
        self.listener = listener
        loop = try EventLoop()
        signals = try SignalDescriptor([SIGCHLD])
        let reaper = Door { [unowned self] in reap() }
        let entrance = Door { [unowned self] in accept() }
        doors = [reaper, entrance]
        _ = try loop.watch(signals.descriptor.raw, .readable, reaper)
        _ = try loop.watch(self.listener.descriptor.raw, .readable, entrance)
    }

    func run() throws(SystemError) {
        try loop.run()
    }

    /// A name for a short-lived file in the private directory.
    func temporaryName(_ suffix: String) -> String {
        lastNumber += 1
        return "\(PrivateDirectory.temporaryPrefix)\(lastNumber).\(suffix)"
    }

    /// Tells those who asked for events.
    func emit(_ event: ShimEvent) {
        for client in Array(clients.values) where client.isSubscribed { client.send(.event(event)) }
    }

    /// Runs the OCI runtime; `completion` is called from the loop.
    @discardableResult
    func runRuntime(
        _ arguments: [String], streams: [Int32]? = nil, deadlineMilliseconds: Int64,
        completion: @escaping (RuntimeCommand.Outcome) -> Void
    ) throws(ShimFailure) -> RuntimeCommand {
        let command = try RuntimeCommand(
            options: options, loop: loop, arguments: arguments, streams: streams,
            deadlineMilliseconds: deadlineMilliseconds
        ) { [unowned self] outcome in
            completion(outcome)
            runningCommands -= 1
            if runningCommands == 0 { unclaimed = [:] }
        }
        runningCommands += 1
        owners[command.pid] = .runtime(command)
        return command
    }

    private func reap() {
        // What the signal says is not needed: one may stand for many.
        while (try? signals.next()) != nil {}
        while let (pid, status) = try? ExitStatus.reapAny() {
            let end = ProcessEnd(status: status, at: Clock.wallNanoseconds())
            guard let owner = owners.removeValue(forKey: pid) else {
                // An orphan of a container, unless it is one that a running runtime is about to name.
                if runningCommands > 0 { unclaimed[pid] = end }
                continue
            }
            settle(owner, end)
        }
    }

    /// A process has ended.
    func settle(_ owner: Owner, _ end: ProcessEnd) {
        switch owner {
        case .runtime(let command): command.ended(end.status)
        case .container(let container): containerEnded(container, end)
        case .exec(let container, let exec): execEnded(container, exec, end)
        }
    }

    /// Takes a process that the runtime has made; it may have ended already.
    func claim(_ pid: pid_t, _ owner: Owner) {
        guard let end = unclaimed.removeValue(forKey: pid) else {
            owners[pid] = owner
            return
        }
        do throws(SystemError) {
            // The number may have been an orphan's before: a child that is there is the one that is meant.
            if let status = try ExitStatus.reap(pid, block: false) {
                settle(owner, ProcessEnd(status: status, at: Clock.wallNanoseconds()))
            } else {
                owners[pid] = owner
            }
        } catch {
            settle(owner, end)
        }
    }

    private func accept() {
        do throws(SystemError) {
            let socket = try listener.accept()
            // The directory is 0700 and the socket 0600; this is for whoever got hold of either (CVE-2020-15257).
            guard try socket.peer().uid == geteuid(), clients.count < Self.mostClients else { return }
            let client = try ClientConnection(
                socket: socket, loop: loop,
                received: { [unowned self] client, bytes, message in receive(bytes, message, from: client) },
                closed: { [unowned self] client in clients[ObjectIdentifier(client)] = nil })
            clients[ObjectIdentifier(client)] = client
        } catch {
            // The client is gone again, or descriptors have run out: the next one may have more luck.
        }
    }

    private func receive(_ bytes: [UInt8], _ message: consuming UnixSocket.Message, from client: ClientConnection) {
        let frame: RequestFrame
        do throws(JSONError) {
            frame = try RequestFrame.read(bytes, limits: JSONLimits(bytes: ShimLimits.frameBytes, depth: 8))
        } catch {
            // Its number may be unreadable, too: 0 belongs to no request.
            client.send(.failure(id: 0, ShimFailure(.invalid, "request: \(error)")))
            client.close()
            return
        }
        var descriptors = PassedDescriptors(message)
        handle(frame.request, &descriptors, Responder(client: client, id: frame.id))
    }
}

/// Calls a function when its descriptor is ready.
private final class Door: EventTarget {
    private let open: () -> Void

    init(_ open: @escaping () -> Void) {
        self.open = open
    }

    func ready(_ events: Epoll.Events) {
        open()
    }
}

/// The descriptors that came with a request, in order; those that nobody takes are closed.
struct PassedDescriptors: ~Copyable {
    private var message: UnixSocket.Message

    init(_ message: consuming UnixSocket.Message) {
        self.message = message
    }

    var count: Int { message.descriptorCount }

    mutating func next() -> Descriptor? {
        message.takeDescriptor()
    }
}
