import Logging

/// The pods' network: puts sandboxes on it and takes them off by CNI plugins (CNI specification 1.1.0).
///
/// One sandbox is worked on by one call at a time, different ones side by side. What was attached is known on disk before
/// the first plugin runs, so `detach` works after the node was killed at any moment.
public actor PodNetwork {
    public nonisolated let configuration: NetworkConfiguration
    let logger: Logger

    public init(configuration: NetworkConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Whether pods can be put on the network, else what is missing and how to mend it.
    public func status() async -> NetworkStatus {
        NetworkStatus(ready: false, reason: "NetworkPluginNotReady", message: "the pod network is not built yet")
    }

    /// Puts a sandbox on the network. A second call for the same sandbox gives the first one's result.
    ///
    /// On failure everything that was made is taken away again.
    public func attach(_ attachment: Attachment) async throws(NetworkError) -> NetworkResult {
        throw NetworkError(.configuration, pod: attachment.pod, reason: "attach is not built yet")
    }

    /// Takes a sandbox off the network; works when its network namespace is gone. One that isn't on it is success.
    public func detach(sandbox: String) async throws(NetworkError) {
        throw NetworkError(.configuration, reason: "detach is not built yet")
    }

    /// Asks the plugins whether a sandbox's network is as they made it (CNI CHECK).
    public func check(sandbox: String) async throws(NetworkError) {
        throw NetworkError(.configuration, reason: "check is not built yet")
    }

    /// The result for a sandbox that is attached; nil for one that isn't.
    public func result(sandbox: String) async -> NetworkResult? { nil }

    /// Detaches every sandbox that is not in `keep`: what a killed node left behind.
    public func collectGarbage(keep: Set<String>) async {}

    /// Takes away what belongs to the default network of this node alone: its bridge and the rules made for it.
    public func tearDown() async throws(NetworkError) {
        throw NetworkError(.configuration, reason: "tearDown is not built yet")
    }
}
