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
    let firewall: Firewall
    private var turns = Turns()
    /// The rules of the default network being looked after now, for all who need them.
    var rulesInPlace: Task<String?, Never>?
    /// Said once, not for every pod.
    var saidThatRulesFail = false

    public init(configuration: NetworkConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        store = AttachmentStore(directory: configuration.cacheDir)
        runner = PluginRunner(binDirs: configuration.binDirs, deadline: configuration.pluginDeadline)
        firewall = Firewall(runner: runner, bridge: configuration.bridge, podCIDR: configuration.podCIDR)
    }

    /// The result for a sandbox that is attached; nil for one that isn't.
    public func result(sandbox: String) async -> NetworkResult? {
        guard let record = try? store.read(sandbox), record.phase == .attached, let value = record.result else {
            return nil
        }
        return try? NetworkResult(value, interface: record.attachment.interface, network: record.list.name)
    }

    /// The sandboxes with a record here that are not in `keep`: what a killed node left behind.
    public func forgotten(keep: Set<String>) -> [String] {
        do throws(NetworkError) {
            return try store.sandboxes().filter { !keep.contains($0) }
        } catch {
            logger.warning("the network's records can't be listed", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Detaches sandboxes that nobody knows of any more. Failures are logged and left for the next time.
    public func collectGarbage(_ sandboxes: [String]) async {
        for sandbox in sandboxes {
            do throws(NetworkError) {
                try await detach(sandbox: sandbox)
                logger.info("a forgotten sandbox was taken off the network", metadata: ["sandbox": "\(sandbox)"])
            } catch {
                logger.warning(
                    "a forgotten sandbox stays on the network",
                    metadata: ["sandbox": "\(sandbox)", "error": "\(error)"])
            }
        }
    }

    /// Ends the plugins that run, before the node does; what they leave halfway the next start takes away.
    public nonisolated func endPlugins() { runner.stopAll() }

    /// Waits until nobody else works on the sandbox; `giveBackTurn` must follow.
    func takeTurn(_ sandbox: String) async {
        if turns.takeIfFree(sandbox) { return }
        await withCheckedContinuation { turns.wait(sandbox, $0) }
    }

    func giveBackTurn(_ sandbox: String) { turns.giveBack(sandbox) }
}
