import JSON

/// Whether pods can be put on the network.
public struct NetworkStatus: Sendable, Hashable {
    public var ready: Bool
    /// One word, as Kubernetes' conditions want it: empty when ready, else `NetworkPluginNotReady`.
    public var reason: String
    /// What is wrong and how to mend it; empty when ready.
    public var message: String
    /// The network's name.
    public var network: String
    /// The configuration's file; nil for the default network that is made up here.
    public var file: String?
    /// The configuration in use, as containerd's `cniconfig` has it (go-cni's ConfigResult), which people's scripts read.
    public var document: JSONValue

    public init(
        ready: Bool, reason: String = "", message: String = "", network: String = "", file: String? = nil,
        document: JSONValue = .null
    ) {
        self.ready = ready
        self.reason = reason
        self.message = message
        self.network = network
        self.file = file
        self.document = document
    }
}
