/// Why a step failed, in the words of a container's waiting state.
struct HandFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// ErrImagePull, CreateContainerConfigError, CreateContainerError, RunContainerError, FailedMount, ….
    var reason: String
    var message: String
    var isAboutImage = false
    /// A container that was made and can't be used.
    var container: String?

    var description: String { "\(reason): \(message)" }
}
