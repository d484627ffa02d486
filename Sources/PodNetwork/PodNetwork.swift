public import Logging

/// The pods' network: puts sandboxes on it and takes them off by CNI plugins (CNI specification 1.1.0).
///
/// One sandbox is worked on by one call at a time, different ones side by side. What was attached is known on disk before
/// the first plugin runs, so `detach` works after the node was killed at any moment.
public actor PodNetwork {
    public nonisolated let configuration: NetworkConfiguration
    let logger: Logger
    let store: AttachmentStore
    let runner: PluginRunner
    let versions: PluginVersions
    private var turns = Turns()
    /// The default network's ranges, as they are now.
    var podCIDR: String
    /// The ranges to change to once no pod has an address of the present ones.
    var wishedPodCIDR: String?
    /// Whether address translation of IPv6 works here, once somebody has asked.
    var ipv6Works: Bool?
    /// Work on the network as a whole, which no sandbox may be attached beside, and how often there was any.
    var exclusive: Task<Void, Never>?
    var exclusiveCount = 0
    /// The rules of the default network being looked after now, for all who need them.
    var rulesInPlace: Task<String?, Never>?
    /// When they were last found in place.
    var rulesSeen: ContinuousClock.Instant?
    /// Said once, not for every pod.
    var saidThatRulesFail = false
    /// The status being found out now, for all who ask.
    var looking: Task<NetworkStatus, Never>?
    /// Sandboxes that plugins failed to take off the network.
    var troubled: Set<String> = []

    public init(configuration: NetworkConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        store = AttachmentStore(directory: configuration.cacheDir)
        runner = PluginRunner(binDirs: configuration.binDirs, deadline: configuration.pluginDeadline)
        versions = PluginVersions(runner: runner)
        podCIDR = GivenRanges.read(configuration) ?? configuration.podCIDR
    }

    func firewall(_ family: Subnet.Family) -> Firewall {
        Firewall(runner: runner, bridge: configuration.bridge, family: family)
    }

    /// The network that a pod would be put on now: an administrator's, else the default one.
    func currentList() async throws(NetworkError) -> NetworkList {
        if let list = try NetworkList.load(configuration.confDir, logger: logger) {
            return try await list.negotiated(versions)
        }
        return try NetworkList.standard(configuration, try await ranges())
    }

    /// The result for a sandbox that is attached; nil for one that isn't.
    public func result(sandbox: String) async -> NetworkResult? {
        guard let record = try? store.read(sandbox), record.phase == .attached, let value = record.result else {
            return nil
        }
        return try? NetworkResult(value, interface: record.arguments.interface, network: record.list.name)
    }

    /// Ends the plugins that run, before the node does; what they leave halfway the next start takes away.
    public nonisolated func endPlugins() { runner.stopAll() }

    /// Waits until nobody else works on the sandbox; `giveBackTurn` must follow.
    func takeTurn(_ sandbox: String) async {
        if turns.takeIfFree(sandbox) { return }
        await withCheckedContinuation { turns.wait(sandbox, $0) }
    }

    func giveBackTurn(_ sandbox: String) { turns.giveBack(sandbox) }

    /// Does work that no sandbox may be attached beside, after whatever of the kind is under way. Those who attach wait for it,
    /// so it must be bounded.
    func alone(_ work: @escaping @Sendable () async -> Void) async {
        while let exclusive { await exclusive.value }
        let task = Task {
            await work()
            exclusive = nil
        }
        exclusive = task
        exclusiveCount += 1
        await task.value
    }
}
