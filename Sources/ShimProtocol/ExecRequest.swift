/// Runs one more process in a running container.
public struct ExecRequest: Sendable, Hashable {
    /// The container.
    public var container: String
    /// The caller's name for this exec, unique in the container; the characters of a container's id.
    public var exec: String
    /// The runtime spec's `process` object as JSON, as given to `exec --process`; its `terminal` must agree with `terminal`.
    /// It travels beside the frame, in a sealed memory file. At most 1 MiB.
    public var process: [UInt8]
    /// A pseudo-terminal is made and its master handed to the caller; no descriptors are passed then.
    public var terminal: Bool
    /// The terminal's first size; becomes the process's `consoleSize`.
    public var terminalSize: TerminalSize?
    /// How long the runtime may take to start the process, in milliseconds.
    public var deadlineMilliseconds: Int64

    public init(
        container: String, exec: String, process: [UInt8], terminal: Bool = false, terminalSize: TerminalSize? = nil,
        deadlineMilliseconds: Int64 = 60_000
    ) {
        self.container = container
        self.exec = exec
        self.process = process
        self.terminal = terminal
        self.terminalSize = terminalSize
        self.deadlineMilliseconds = deadlineMilliseconds
    }
}
