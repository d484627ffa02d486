public import Linux

/// Why a cgroup could not be made, limited, entered, read or removed.
public struct CgroupError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried: `set linux.resources.memory.limit`, `join`, `remove`.
    public var step: String
    /// The file or directory, if it is about one.
    public var path: String?
    public var errno: Errno?
    /// What it means and what to do, if the errno says too little.
    public var hint: String?

    public init(_ step: String, path: String? = nil, errno: Errno? = nil, hint: String? = nil) {
        self.step = step
        self.path = path
        self.errno = errno
        self.hint = hint
    }

    init(_ step: String, _ cause: SystemError, hint: String? = nil) {
        self.init(step, path: cause.path, errno: cause.errno, hint: hint)
    }

    /// `cgroup: set linux.resources.pids.limit: /sys/fs/cgroup/pids/x/pids.max: Invalid argument`
    public var description: String {
        var text = "cgroup: " + step
        if let path { text += ": " + path }
        if let errno { text += ": " + errno.description }
        if let hint {
            text += (path == nil && errno == nil ? ": " : " (") + hint + (path == nil && errno == nil ? "" : ")")
        }
        return text
    }
}
