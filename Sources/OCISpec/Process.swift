import JSON

/// What runs in the container (config.md, Process).
public struct Process: Sendable, Hashable {
    /// Whether standard streams are a pseudo terminal.
    public var terminal: Bool
    /// The terminal's size in characters.
    public var consoleSize: Box?
    /// Who the process runs as.
    public var user: User
    /// The program and its arguments, as for `execvp`.
    public var args: [String]
    /// The environment as `NAME=value`.
    public var env: [String]
    /// The absolute working directory inside the container.
    public var cwd: String
    /// The five capability sets; nil leaves none.
    public var capabilities: LinuxCapabilities?
    /// Resource limits; each type at most once.
    public var rlimits: [POSIXRlimit]
    /// Whether `execve` can no longer give privileges.
    public var noNewPrivileges: Bool
    /// The AppArmor profile.
    public var apparmorProfile: String?
    /// The out-of-memory score adjustment, -1000 to 1000; nil leaves it as it is.
    public var oomScoreAdj: Int?
    /// The scheduling policy.
    public var scheduler: Scheduler?
    /// The SELinux context.
    public var selinuxLabel: String?
    /// The I/O priority.
    public var ioPriority: LinuxIOPriority?
    /// The processors on which an `exec` process runs first and later.
    public var execCPUAffinity: CPUAffinity?

    public init(
        terminal: Bool = false,
        consoleSize: Box? = nil,
        user: User = User(),
        args: [String] = [],
        env: [String] = [],
        cwd: String = "/",
        capabilities: LinuxCapabilities? = nil,
        rlimits: [POSIXRlimit] = [],
        noNewPrivileges: Bool = false,
        apparmorProfile: String? = nil,
        oomScoreAdj: Int? = nil,
        scheduler: Scheduler? = nil,
        selinuxLabel: String? = nil,
        ioPriority: LinuxIOPriority? = nil,
        execCPUAffinity: CPUAffinity? = nil
    ) {
        self.terminal = terminal
        self.consoleSize = consoleSize
        self.user = user
        self.args = args
        self.env = env
        self.cwd = cwd
        self.capabilities = capabilities
        self.rlimits = rlimits
        self.noNewPrivileges = noNewPrivileges
        self.apparmorProfile = apparmorProfile
        self.oomScoreAdj = oomScoreAdj
        self.scheduler = scheduler
        self.selinuxLabel = selinuxLabel
        self.ioPriority = ioPriority
        self.execCPUAffinity = execCPUAffinity
    }
}

extension Process: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(cwd: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "terminal": terminal = try reader.read()
            case "consoleSize": consoleSize = try reader.read()
            case "user": user = try reader.read()
            case "args": args = try reader.read()
            case "env": env = try reader.read()
            case "cwd": cwd = try reader.read()
            case "capabilities": capabilities = try reader.read()
            case "rlimits": rlimits = try reader.read()
            case "noNewPrivileges": noNewPrivileges = try reader.read()
            case "apparmorProfile": apparmorProfile = try reader.read()
            case "oomScoreAdj": oomScoreAdj = try reader.read()
            case "scheduler": scheduler = try reader.read()
            case "selinuxLabel": selinuxLabel = try reader.read()
            case "ioPriority": ioPriority = try reader.read()
            case "execCPUAffinity": execCPUAffinity = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("terminal", terminal)
            writer.member("consoleSize", consoleSize)
            writer.required("user", user)
            writer.member("args", args)
            writer.member("env", env)
            writer.required("cwd", cwd)
            writer.member("capabilities", capabilities)
            writer.member("rlimits", rlimits)
            writer.member("noNewPrivileges", noNewPrivileges)
            writer.member("apparmorProfile", apparmorProfile)
            writer.member("oomScoreAdj", oomScoreAdj)
            writer.member("scheduler", scheduler)
            writer.member("selinuxLabel", selinuxLabel)
            writer.member("ioPriority", ioPriority)
            writer.member("execCPUAffinity", execCPUAffinity)
        }
    }
}

/// A terminal's size in characters.
public struct Box: Sendable, Hashable {
    /// Rows.
    public var height: UInt
    /// Columns.
    public var width: UInt

    public init(height: UInt = 0, width: UInt = 0) {
        self.height = height
        self.width = width
    }
}

extension Box: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "height": height = try reader.read()
            case "width": width = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("height", height)
            writer.required("width", width)
        }
    }
}

/// Who a process runs as (config.md, User).
public struct User: Sendable, Hashable {
    /// The user id inside the container.
    public var uid: UInt32
    /// The group id inside the container.
    public var gid: UInt32
    /// The file mode creation mask; nil leaves the runtime's.
    public var umask: UInt32?
    /// Supplementary groups.
    public var additionalGids: [UInt32]
    /// Used on other platforms; kept.
    public var username: String?

    public init(
        uid: UInt32 = 0,
        gid: UInt32 = 0,
        umask: UInt32? = nil,
        additionalGids: [UInt32] = [],
        username: String? = nil
    ) {
        self.uid = uid
        self.gid = gid
        self.umask = umask
        self.additionalGids = additionalGids
        self.username = username
    }
}

extension User: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "uid": uid = try reader.read()
            case "gid": gid = try reader.read()
            case "umask": umask = try reader.read()
            case "additionalGids": additionalGids = try reader.read()
            case "username": username = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("uid", uid)
            writer.required("gid", gid)
            writer.member("umask", umask)
            writer.member("additionalGids", additionalGids)
            writer.member("username", username)
        }
    }
}

/// A resource limit (config.md, POSIX process).
public struct POSIXRlimit: Sendable, Hashable {
    /// `RLIMIT_NOFILE` and the like.
    public var type: String
    /// The ceiling.
    public var hard: UInt64
    /// The limit that is enforced.
    public var soft: UInt64

    public init(type: String, hard: UInt64 = 0, soft: UInt64 = 0) {
        self.type = type
        self.hard = hard
        self.soft = soft
    }
}

extension POSIXRlimit: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(type: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "type": type = try reader.read()
            case "hard": hard = try reader.read()
            case "soft": soft = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("type", type)
            writer.required("hard", hard)
            writer.required("soft", soft)
        }
    }
}
