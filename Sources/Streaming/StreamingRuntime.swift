import CRI

/// What the streaming server asks of the runtime: processes whose streams are descriptors, and sockets inside pods.
///
/// Descriptors are the currency because they copy least: the server makes pipes, hands the container's ends to the
/// runtime (which passes them on to the shim as they are), and moves bytes between its own ends and the client's
/// connection. A client that reads slowly therefore fills a pipe and stops the process that writes, and nobody's memory.
///
/// The protocol speaks only of the standard library's and the CRI's types, so that the engine can have these methods
/// without knowing of this room; `extension Engine: StreamingRuntime {}` is then all that the node has to say.
///
/// **Ownership.** Descriptors that are passed *in* stay the server's and are valid until the call returns: whoever needs
/// one longer duplicates it or sends it away with SCM_RIGHTS. The server then closes its copies, so that end of file
/// arrives when the process exits. Descriptors that are *returned* belong to the server.
///
/// Every call is cancelled when the client goes away; none of them may outlive its cancellation for long.
public protocol StreamingRuntime: Sendable {
    /// Starts `request.cmd` in the running container `request.containerID`.
    ///
    /// Without a terminal (`request.tty` is false) the process gets the given descriptors as 0, 1 and 2, and the null
    /// device where one is nil; the result's `terminal` is nil. With a terminal all three are nil, the runtime makes
    /// the terminal and returns its controlling side, which is read and written by the server.
    ///
    /// - Returns: `exec`: the runtime's name for this process, for ``waitExec(_:container:)``; `terminal`: the controlling
    ///   side of its terminal, whose size the server sets itself.
    /// - Throws: `.notFound` when there is no such container, `.failedPrecondition` when it isn't running, and the
    ///   runtime's own words when the command can't be started.
    func startExec(
        _ request: CRIExecRequest, stdin: Int32?, stdout: Int32?, stderr: Int32?
    ) async throws(CRIError) -> (exec: String, terminal: Int32?)

    /// Waits for the end of a process that ``startExec(_:stdin:stdout:stderr:)`` began; 128 + signal when one killed it.
    ///
    /// A process that outlives its client is not killed (Kubernetes doesn't either): its pipes are closed, or its
    /// terminal hangs up.
    func waitExec(_ exec: String, container: String) async throws(CRIError) -> Int32

    /// Joins the streams of the running container `request.containerID` until it exits or the server closes its ends.
    ///
    /// The runtime writes what the container prints to `stdout` and `stderr` (all of it to `stdout` for a container with
    /// a terminal) and reads the container's input from `stdin`; it closes its copies when the container exits, and drops
    /// an attachment whose pipe is gone. A pipe that nobody empties must not stop the container.
    ///
    /// - Returns: whether the container's input stays open when the client's ends; an attachment is over then.
    func startAttach(
        _ request: CRIAttachRequest, stdin: Int32?, stdout: Int32?, stderr: Int32?
    ) async throws(CRIError) -> Bool

    /// Sets the size of the container's own terminal, to which a client is attached.
    func resizeTerminal(container: String, columns: UInt16, rows: UInt16) async throws(CRIError)

    /// Connects to `port` on the loopback device of the sandbox's network namespace.
    ///
    /// - Returns: a connected stream socket.
    /// - Throws: `.notFound` when there is no such sandbox, `.failedPrecondition` when it isn't ready, `.unavailable`
    ///   when nothing listens there.
    func connect(sandbox: String, port: UInt16) async throws(CRIError) -> Int32
}
