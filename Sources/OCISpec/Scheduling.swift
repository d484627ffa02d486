import JSON

/// A scheduling policy (config.md, Linux Process; sched_setattr(2)).
public struct Scheduler: Sendable, Hashable {
    /// `SCHED_OTHER` and the like.
    public var policy: String
    /// For SCHED_OTHER and SCHED_BATCH.
    public var nice: Int32?
    /// For SCHED_FIFO and SCHED_RR.
    public var priority: Int32?
    /// `SCHED_FLAG_RESET_ON_FORK` and the like.
    public var flags: [String]
    /// Nanoseconds, for SCHED_DEADLINE.
    public var runtime: UInt64?
    /// Nanoseconds, for SCHED_DEADLINE.
    public var deadline: UInt64?
    /// Nanoseconds, for SCHED_DEADLINE.
    public var period: UInt64?

    public init(
        policy: String,
        nice: Int32? = nil,
        priority: Int32? = nil,
        flags: [String] = [],
        runtime: UInt64? = nil,
        deadline: UInt64? = nil,
        period: UInt64? = nil
    ) {
        self.policy = policy
        self.nice = nice
        self.priority = priority
        self.flags = flags
        self.runtime = runtime
        self.deadline = deadline
        self.period = period
    }
}

extension Scheduler: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(policy: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "policy": policy = try reader.read()
            case "nice": nice = try reader.read()
            case "priority": priority = try reader.read()
            case "flags": flags = try reader.read()
            case "runtime": runtime = try reader.read()
            case "deadline": deadline = try reader.read()
            case "period": period = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("policy", policy)
            writer.member("nice", nice)
            writer.member("priority", priority)
            writer.member("flags", flags)
            writer.member("runtime", runtime)
            writer.member("deadline", deadline)
            writer.member("period", period)
        }
    }
}

/// An I/O priority (ioprio_set(2)).
public struct LinuxIOPriority: Sendable, Hashable {
    /// `IOPRIO_CLASS_RT`, `IOPRIO_CLASS_BE` or `IOPRIO_CLASS_IDLE`.
    public var `class`: String
    /// 0 (first) to 7 (last).
    public var priority: Int32?

    public init(`class`: String, priority: Int32? = nil) {
        self.`class` = `class`
        self.priority = priority
    }
}

extension LinuxIOPriority: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(class: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "class": `class` = try reader.read()
            case "priority": priority = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("class", `class`)
            writer.member("priority", priority)
        }
    }
}

/// The processors of an `exec` process, as lists like `0-3,7`.
public struct CPUAffinity: Sendable, Hashable {
    /// Before it enters the container's cgroup.
    public var initial: String?
    /// After it entered.
    public var final: String?

    public init(initial: String? = nil, final: String? = nil) {
        self.initial = initial
        self.final = final
    }
}

extension CPUAffinity: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "initial": initial = try reader.read()
            case "final": final = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("initial", initial)
            writer.member("final", final)
        }
    }
}
