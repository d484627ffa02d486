/// Why a registry didn't give what was asked.
public struct RegistryFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        case notFound
        /// It wants to know who asks.
        case unauthenticated
        /// It knows who asks, and says no.
        case denied
        /// Too many requests.
        case exhausted
        /// It can't be reached, or is out of order.
        case unavailable
        /// It stopped sending.
        case deadline
        /// What it sent is not to be trusted, or isn't done here.
        case refused
        case cancelled
        /// The node's own configuration is wrong.
        case configuration
    }

    public var code: Code
    /// What was asked for; empty where nothing was yet.
    public var url: String
    public var reason: String
    /// What to do about it; empty where nobody knows.
    public var advice: String

    public init(_ code: Code, url: String = "", _ reason: String, advice: String = "") {
        self.code = code
        self.url = url
        self.reason = reason
        self.advice = advice
    }

    public var description: String {
        (url.isEmpty ? "" : url + ": ") + reason + (advice.isEmpty ? "" : " (\(advice))")
    }
}
