/// Why a shim refused or failed a request.
public struct ShimFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        /// The request is malformed or contradicts itself.
        case invalid
        /// No such container or exec.
        case notFound
        /// The name is taken.
        case exists
        /// The container is not in a stage that allows it.
        case wrongStage
        /// The OCI runtime failed; the message is its own.
        case runtime
        /// The OCI runtime did not finish in time and was killed.
        case deadline
        /// A system call failed in the shim.
        case system
        /// The connection to the shim is gone (client side).
        case disconnected
        /// The shim did not answer in time (client side).
        case noAnswer
        /// The caller went away before the answer came (client side).
        case abandoned
        /// The shim could not be started (client side).
        case notStarted
    }

    public var code: Code
    /// One line for people: what, where, why.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
