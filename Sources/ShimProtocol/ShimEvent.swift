/// What a shim tells its subscribers, in the order in which it happened.
public enum ShimEvent: Sendable, Hashable {
    /// A container's first process (`exec` is nil) or an exec ended. All that it had written before is in the log.
    case exited(container: String, exec: String?, ExitRecord)
    /// The kernel killed a process of the container for lack of memory; comes before its `exited`.
    case oom(container: String)
    /// The first bytes of a container's output that could not be kept, and why; said once. How many they became is in
    /// ``ContainerInfo/lostLogBytes``.
    case outputLost(container: String, reason: String)
    /// The connection to the shim is gone; the last event of a stream. Connect again and ask `info` for what was missed.
    case disconnected
}
