/// How a process of a pod ended. Kept by the shim until the container is deleted, and for containers also on disk as
/// `DIR/<container>.exit`, written before anyone is told.
public struct ExitRecord: Sendable, Hashable {
    /// The process's id in the host's pid namespace.
    public var pid: Int32
    /// The code of `exit`, or 128 + signal when a signal ended the process.
    public var exitCode: Int32
    /// The signal that ended the process, 0 for an ordinary exit.
    public var signal: Int32
    /// Wall clock time of the exit, in nanoseconds since the epoch.
    public var finishedAtNanoseconds: Int64
    /// The kernel killed a process of this container for lack of memory, and the container failed.
    public var oomKilled: Bool

    public init(pid: Int32, exitCode: Int32, signal: Int32, finishedAtNanoseconds: Int64, oomKilled: Bool = false) {
        self.pid = pid
        self.exitCode = exitCode
        self.signal = signal
        self.finishedAtNanoseconds = finishedAtNanoseconds
        self.oomKilled = oomKilled
    }
}
