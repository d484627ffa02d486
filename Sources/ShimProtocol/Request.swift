import JSON

/// What a client asks of a shim. Each request is one SEQPACKET message; descriptors travel with it as SCM_RIGHTS.
public enum Request: Sendable, Hashable {
    /// What the shim holds; a page that begins after the container with the id `after`.
    case info(after: String?)
    case create(CreateRequest)
    case start(container: String, deadlineMilliseconds: Int64)
    case kill(KillRequest)
    case delete(container: String, force: Bool, deadlineMilliseconds: Int64)
    /// Descriptors: the process as a JSON file, then those that `streams` names.
    case exec(ExecRequest, streams: StreamSet)
    /// Descriptors: those that `streams` names.
    case attach(container: String, streams: StreamSet)
    case resize(container: String, TerminalSize)
    case closeStdin(container: String)
    case reopenLog(container: String)
    /// Events come on this connection from now on.
    case subscribe
    case shutdown

    /// The verb's name on the wire and in messages.
    public var verb: String {
        switch self {
        case .info: "info"
        case .create: "create"
        case .start: "start"
        case .kill: "kill"
        case .delete: "delete"
        case .exec: "exec"
        case .attach: "attach"
        case .resize: "resize"
        case .closeStdin: "closeStdin"
        case .reopenLog: "reopenLog"
        case .subscribe: "subscribe"
        case .shutdown: "shutdown"
        }
    }
}

/// Sends a signal to a container's first process, to all of the container, or to an exec.
public struct KillRequest: Sendable, Hashable {
    public var container: String
    public var exec: String?
    public var signal: Int32
    /// Every process of the container, through the runtime.
    public var all: Bool
    public var deadlineMilliseconds: Int64

    public init(
        container: String, exec: String? = nil, signal: Int32, all: Bool = false, deadlineMilliseconds: Int64 = 60_000
    ) {
        self.container = container
        self.exec = exec
        self.signal = signal
        self.all = all
        self.deadlineMilliseconds = deadlineMilliseconds
    }
}

/// Which of the three standard streams come as descriptors, in this order.
public struct StreamSet: OptionSet, Sendable, Hashable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let stdin = StreamSet(rawValue: 1)
    public static let stdout = StreamSet(rawValue: 2)
    public static let stderr = StreamSet(rawValue: 4)

    /// How many descriptors that is.
    public var count: Int { (rawValue & 7).nonzeroBitCount }
}

/// Bounds of the protocol.
public enum ShimLimits {
    /// The longest frame in bytes, either way; well below what a socket buffer holds.
    public static let frameBytes = 96 << 10
    /// The most descriptors with one frame.
    public static let descriptors = 4
    /// The longest `process` object of an exec.
    public static let processBytes = 1 << 20
    /// The longest id of a container or exec.
    public static let idBytes = 128

    /// Whether a text may name a container or an exec, and with it files in the shim's directory.
    public static func isValidID(_ text: String) -> Bool {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.count <= idBytes, text != ".", text != ".." else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
