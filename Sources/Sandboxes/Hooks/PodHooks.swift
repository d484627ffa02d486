public import CRI
public import OCISpec

/// Others on this node who see pods and containers at each step of their lives and may change them (NRI). The engine knows no
/// more of them than this.
///
/// What throws fails the step that it was asked about; where nothing is thrown, nothing can be stopped any more. Each call is
/// bounded in time by whoever implements it.
public protocol PodHooks: Sendable {
    /// A pod has its processes, its network and its addresses, and nobody else has seen it yet.
    func run(_ pod: HookedPod) async throws(CRIError)
    /// A pod's limits are about to be, and then have been, changed.
    func update(_ pod: HookedPod, _ change: PodResourceChange) async throws(CRIError)
    func updated(_ pod: HookedPod) async
    /// A pod's containers have ended; its network and its own process are still there.
    func stopped(_ pod: HookedPod) async
    func removed(_ pod: HookedPod) async

    /// A container is about to be made from `container.spec`; returns the spec to make it from, and what else is to change.
    func create(_ container: HookedContainer, in pod: HookedPod) async throws(CRIError) -> SpecChange
    func created(_ container: HookedContainer, in pod: HookedPod) async
    func start(_ container: HookedContainer, in pod: HookedPod) async throws(CRIError)
    func started(_ container: HookedContainer, in pod: HookedPod) async
    /// A container's limits are about to be changed; returns the limits to set, and what else is to change.
    func update(
        _ container: HookedContainer, in pod: HookedPod, _ resources: LinuxResources
    ) async throws(CRIError) -> ResourceChange
    func updated(_ container: HookedContainer, in pod: HookedPod) async
    /// A container has ended, whoever ended it.
    func stopped(_ container: HookedContainer, in pod: HookedPod) async -> [ResourceUpdate]
    func removed(_ container: HookedContainer, in pod: HookedPod) async

    /// The engine lets go of everything.
    func end() async
}

/// What the hooks' side may ask of the engine.
public protocol HookedNode: Sendable {
    /// Every pod and container that a hook has heard of, or would have.
    func hookedState() async -> HookedState
    /// Changes limits of containers; returns those that could not be changed.
    func apply(_ updates: [ResourceUpdate]) async -> [ResourceUpdate]
    /// Kills containers.
    func evict(_ containers: [Eviction]) async
}

public struct HookedState: Sendable {
    public var pods: [HookedPod]
    public var containers: [HookedContainer]
}

/// A pod as hooks see it.
public struct HookedPod: Sendable {
    public var id: String
    public var config: CRIPodSandboxConfig
    public var runtimeHandler: String
    /// 0 when it has no process.
    public var pid: Int32
    public var addresses: [String]
    public var cgroupsPath: String
    public var netns: String?
}

/// A container as hooks see it.
public struct HookedContainer: Sendable {
    public var id: String
    public var pod: String
    public var config: CRIContainerConfig
    public var state: CRIContainerState
    /// What it is, or will be, made from; nil when that can't be read any more.
    public var spec: Spec?
    public var pid: Int32
    public var createdAtNanoseconds: Int64
    public var startedAtNanoseconds: Int64
    public var finishedAtNanoseconds: Int64
    public var exitCode: Int32
    public var reason: String
    public var message: String
}

public struct PodResourceChange: Sendable {
    public var overhead: LinuxResources?
    public var resources: LinuxResources?
}

/// Other limits for a container that is there; what isn't set stays.
public struct ResourceUpdate: Sendable, Hashable {
    public var container: String
    public var resources: LinuxResources
    /// Nobody minds if it can't be done.
    public var mayFail: Bool

    public init(container: String, resources: LinuxResources, mayFail: Bool = false) {
        self.container = container
        self.resources = resources
        self.mayFail = mayFail
    }
}

/// A container that is to end.
public struct Eviction: Sendable, Hashable {
    public var container: String
    public var reason: String

    public init(container: String, reason: String) {
        self.container = container
        self.reason = reason
    }
}

/// What came of a container's making.
public struct SpecChange: Sendable {
    public var spec: Spec
    /// Devices by the names of the Container Device Interface, to be put into the spec.
    public var cdiDevices: [String]
    public var updates: [ResourceUpdate]
    public var evictions: [Eviction]

    public init(
        spec: Spec, cdiDevices: [String] = [], updates: [ResourceUpdate] = [], evictions: [Eviction] = []
    ) {
        self.spec = spec
        self.cdiDevices = cdiDevices
        self.updates = updates
        self.evictions = evictions
    }
}

/// What came of a change of limits.
public struct ResourceChange: Sendable {
    public var resources: LinuxResources
    public var updates: [ResourceUpdate]
    public var evictions: [Eviction]

    public init(resources: LinuxResources, updates: [ResourceUpdate] = [], evictions: [Eviction] = []) {
        self.resources = resources
        self.updates = updates
        self.evictions = evictions
    }
}
