/// What a container is.
public struct ContainerStatus: Sendable, Hashable, Codable {
    public var name: String
    public var image: String
    public var imageID: String
    public var ready: Bool
    public var restartCount: Int
    public var containerID: String
    public var lastState: ContainerState
    public var resources: ResourceRequirements?
    public var started: Bool?
    public var state: ContainerState
    public var stopSignal: String?
    public var user: ContainerUser?
    public var volumeMounts: [VolumeMountStatus]

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        image: String = "",
        imageID: String = "",
        ready: Bool = false,
        restartCount: Int = 0,
        containerID: String = "",
        lastState: ContainerState = ContainerState(),
        resources: ResourceRequirements? = nil,
        started: Bool? = nil,
        state: ContainerState = ContainerState(),
        stopSignal: String? = nil,
        user: ContainerUser? = nil,
        volumeMounts: [VolumeMountStatus] = []
    ) {
        self.name = name
        self.image = image
        self.imageID = imageID
        self.ready = ready
        self.restartCount = restartCount
        self.containerID = containerID
        self.lastState = lastState
        self.resources = resources
        self.started = started
        self.state = state
        self.stopSignal = stopSignal
        self.user = user
        self.volumeMounts = volumeMounts
    }
}

/// Exactly one of the three is set; none means waiting.
public struct ContainerState: Sendable, Hashable, Codable {
    public var running: ContainerStateRunning?
    public var terminated: ContainerStateTerminated?
    public var waiting: ContainerStateWaiting?

    /// What is left out is unset, as in a manifest.
    public init(
        running: ContainerStateRunning? = nil,
        terminated: ContainerStateTerminated? = nil,
        waiting: ContainerStateWaiting? = nil
    ) {
        self.running = running
        self.terminated = terminated
        self.waiting = waiting
    }
}

/// Not running yet, or not any more.
public struct ContainerStateWaiting: Sendable, Hashable, Codable {
    public var message: String
    public var reason: String

    /// What is left out is unset, as in a manifest.
    public init(
        message: String = "",
        reason: String = ""
    ) {
        self.message = message
        self.reason = reason
    }
}

/// Running.
public struct ContainerStateRunning: Sendable, Hashable, Codable {
    public var startedAt: Time?

    /// What is left out is unset, as in a manifest.
    public init(
        startedAt: Time? = nil
    ) {
        self.startedAt = startedAt
    }
}

/// Ended.
public struct ContainerStateTerminated: Sendable, Hashable, Codable {
    public var exitCode: Int
    public var containerID: String
    public var finishedAt: Time?
    public var message: String
    public var reason: String
    public var signal: Int
    public var startedAt: Time?

    /// What is left out is unset, as in a manifest.
    public init(
        exitCode: Int = 0,
        containerID: String = "",
        finishedAt: Time? = nil,
        message: String = "",
        reason: String = "",
        signal: Int = 0,
        startedAt: Time? = nil
    ) {
        self.exitCode = exitCode
        self.containerID = containerID
        self.finishedAt = finishedAt
        self.message = message
        self.reason = reason
        self.signal = signal
        self.startedAt = startedAt
    }
}

/// Who a container's first process runs as.
public struct ContainerUser: Sendable, Hashable, Codable {
    public var linux: LinuxContainerUser

    /// What is left out is unset, as in a manifest.
    public init(
        linux: LinuxContainerUser = LinuxContainerUser()
    ) {
        self.linux = linux
    }
}

/// User and groups of a container's first process.
public struct LinuxContainerUser: Sendable, Hashable, Codable {
    public var gid: Int64
    public var uid: Int64
    public var supplementalGroups: [Int64]

    /// What is left out is unset, as in a manifest.
    public init(
        gid: Int64 = 0,
        uid: Int64 = 0,
        supplementalGroups: [Int64] = []
    ) {
        self.gid = gid
        self.uid = uid
        self.supplementalGroups = supplementalGroups
    }
}

/// What became of a mount.
public struct VolumeMountStatus: Sendable, Hashable, Codable {
    public var name: String
    public var mountPath: String
    public var readOnly: Bool
    public var recursiveReadOnly: String?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        mountPath: String = "",
        readOnly: Bool = false,
        recursiveReadOnly: String? = nil
    ) {
        self.name = name
        self.mountPath = mountPath
        self.readOnly = readOnly
        self.recursiveReadOnly = recursiveReadOnly
    }
}
