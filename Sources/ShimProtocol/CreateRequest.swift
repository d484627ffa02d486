/// Columns and rows of a terminal.
public struct TerminalSize: Sendable, Hashable {
    public var columns: UInt16
    public var rows: UInt16

    public init(columns: UInt16, rows: UInt16) {
        self.columns = columns
        self.rows = rows
    }
}

/// Creates a container from a bundle; its process waits for `start`.
public struct CreateRequest: Sendable, Hashable {
    /// The container's id: letters, digits, `_ . + -`, at most 128 bytes; it names files.
    public var id: String
    /// The bundle's directory, with `config.json`.
    public var bundle: String
    /// Where stdout and stderr are written; nil throws them away.
    public var log: LogPlace?
    /// `process.terminal` of the bundle is true.
    public var terminal: Bool
    /// The terminal's first size; the bundle's `consoleSize` holds without it.
    public var terminalSize: TerminalSize?
    /// Standard input is a pipe that `attach` feeds; without it, it is `/dev/null`.
    public var stdin: Bool
    /// Standard input closes once the first attached client ends its input.
    public var stdinOnce: Bool
    /// The container has a pid namespace of its own, so its processes end with its first. When false, the shim kills what
    /// is left in the container's cgroup when its first process ends.
    public var privatePIDNamespace: Bool
    /// A directory of criu's images: the container's processes are made from them, by the runtime's `restore`, and run when
    /// it has been created. Not with a terminal.
    public var restore: String?
    /// More arguments for the runtime's `create`, as `--no-pivot`.
    public var runtimeArguments: [String]
    /// How long the runtime may take, in milliseconds; it is then killed and what it made is deleted.
    public var deadlineMilliseconds: Int64

    public init(
        id: String, bundle: String, log: LogPlace? = nil, terminal: Bool = false, terminalSize: TerminalSize? = nil,
        stdin: Bool = false, stdinOnce: Bool = false, privatePIDNamespace: Bool = true, restore: String? = nil,
        runtimeArguments: [String] = [],
        deadlineMilliseconds: Int64 = 60_000
    ) {
        self.id = id
        self.bundle = bundle
        self.log = log
        self.terminal = terminal
        self.terminalSize = terminalSize
        self.stdin = stdin
        self.stdinOnce = stdinOnce
        self.privatePIDNamespace = privatePIDNamespace
        self.restore = restore
        self.runtimeArguments = runtimeArguments
        self.deadlineMilliseconds = deadlineMilliseconds
    }
}
