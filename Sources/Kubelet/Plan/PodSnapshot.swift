/// What the runtime says about one pod, looked at once.
struct PodSnapshot: Sendable, Hashable {
    /// Newest first.
    var sandboxes: [SandboxFact] = []
    /// Newest first.
    var containers: [ContainerFact] = []

    /// Nothing of the pod is in the runtime.
    var isEmpty: Bool { sandboxes.isEmpty && containers.isEmpty }

    /// The newest container of that name, in any sandbox.
    func latest(_ name: String) -> ContainerFact? { containers.first { $0.name == name } }

    /// The newest container of that name in one sandbox.
    func latest(_ name: String, in sandbox: String) -> ContainerFact? {
        containers.first { $0.name == name && $0.sandbox == sandbox }
    }

    /// The one before the newest of that name.
    func previous(_ name: String) -> ContainerFact? {
        containers.lazy.filter { $0.name == name }.dropFirst().first
    }

    func container(_ id: String) -> ContainerFact? { containers.first { $0.id == id } }
}

/// One sandbox as the runtime describes it.
struct SandboxFact: Sendable, Hashable {
    var id: String
    var attempt: UInt32
    var isReady: Bool
    var createdAt: WallTime
    var hostNetwork: Bool
    var addresses: [String]
}

/// One container as the runtime describes it.
struct ContainerFact: Sendable, Hashable {
    enum State: Sendable, Hashable {
        case created
        case running
        case exited
        /// The runtime can't tell: it may run or not.
        case unknown
    }

    var id: String
    var sandbox: String
    var name: String
    /// How many containers of that name came before it in this pod.
    var restartCount: Int
    var state: State
    var createdAt: WallTime
    var startedAt: WallTime
    var finishedAt: WallTime
    var exitCode: Int32
    var reason: String
    var message: String
    /// The reference that was asked for.
    var image: String
    /// What the runtime made of it.
    var imageID: String
    /// The container's definition when it was made (annotation `io.kubernetes.container.hash`).
    var hash: String
    var logPath: String
    var labels: [String: String]
    var annotations: [String: String]

    /// It may have a living process.
    var mayRun: Bool { state == .running || state == .unknown }
}
