/// What a shim holds: the truth about the pod's processes, which outlives the node agent.
public struct ShimInfo: Sendable, Hashable {
    /// The sandbox that the shim was started for.
    public var sandbox: String
    /// The shim's own process.
    public var pid: Int32
    /// The program's version.
    public var version: String
    /// The network namespace that the shim made, if it was asked to.
    public var networkNamespace: String?
    /// The containers that were created and not deleted yet, ordered by id.
    public var containers: [ContainerInfo]

    public init(
        sandbox: String, pid: Int32, version: String, networkNamespace: String? = nil, containers: [ContainerInfo] = []
    ) {
        self.sandbox = sandbox
        self.pid = pid
        self.version = version
        self.networkNamespace = networkNamespace
        self.containers = containers
    }

    /// The container with that id.
    public subscript(container id: String) -> ContainerInfo? {
        containers.first { $0.id == id }
    }
}

/// A container's place in its life.
public enum ContainerStage: String, Sendable, Hashable {
    case creating, created, running, exited
}

/// A container as the shim sees it.
public struct ContainerInfo: Sendable, Hashable {
    public var id: String
    public var stage: ContainerStage
    /// The container's first process; 0 while it is being created.
    public var pid: Int32
    /// Nanoseconds since the epoch, 0 before it happened.
    public var createdAtNanoseconds: Int64
    public var startedAtNanoseconds: Int64
    public var exit: ExitRecord?
    /// Bytes of output that could not be kept (disk full, log file refused).
    public var lostLogBytes: UInt64
    /// Processes that `exec` started: all that live, and the newest 128 that ended.
    public var execs: [ExecInfo]

    public init(
        id: String, stage: ContainerStage, pid: Int32, createdAtNanoseconds: Int64 = 0, startedAtNanoseconds: Int64 = 0,
        exit: ExitRecord? = nil, lostLogBytes: UInt64 = 0, execs: [ExecInfo] = []
    ) {
        self.id = id
        self.stage = stage
        self.pid = pid
        self.createdAtNanoseconds = createdAtNanoseconds
        self.startedAtNanoseconds = startedAtNanoseconds
        self.exit = exit
        self.lostLogBytes = lostLogBytes
        self.execs = execs
    }
}

/// A process that `exec` started.
public struct ExecInfo: Sendable, Hashable {
    public var id: String
    public var pid: Int32
    public var exit: ExitRecord?

    public init(id: String, pid: Int32, exit: ExitRecord? = nil) {
        self.id = id
        self.pid = pid
        self.exit = exit
    }
}
