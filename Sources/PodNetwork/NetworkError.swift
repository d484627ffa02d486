/// Why a pod could not be put on the network, taken off it, or checked.
public struct NetworkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What callers tell apart.
    public enum Code: Sendable, Hashable {
        /// The configuration can't be read or makes no sense.
        case configuration
        /// A plugin's program isn't there.
        case pluginMissing
        /// A plugin answered with an error of its own, or with nonsense.
        case pluginFailed
        /// A plugin didn't end before its deadline and was killed.
        case deadline
        /// Something of this host: a file, a system call.
        case host
    }

    public var code: Code
    /// The pod as `namespace/name`; empty if it is about no pod.
    public var pod: String
    /// The plugin's name; empty if it is about no plugin.
    public var plugin: String
    /// The network's name; empty if it is about no plugin, or its program alone.
    public var network: String
    /// The plugin's own number for what went wrong (CNI 1.1.0, section 5, Error).
    public var pluginCode: UInt64?
    /// What is wrong and what to do.
    public var reason: String

    public init(
        _ code: Code, pod: String = "", plugin: String = "", network: String = "", pluginCode: UInt64? = nil,
        reason: String
    ) {
        self.code = code
        self.pod = pod
        self.plugin = plugin
        self.network = network
        self.pluginCode = pluginCode
        self.reason = reason
    }

    /// `network of pod default/web: plugin bridge of cbr0: ADD: …`
    public var description: String {
        var text = pod.isEmpty ? "pod network: " : "network of pod \(pod): "
        if !plugin.isEmpty { text += "plugin \(plugin)" + (network.isEmpty ? "" : " of \(network)") + ": " }
        return text + reason
    }
}
