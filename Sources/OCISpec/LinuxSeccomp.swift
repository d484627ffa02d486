import JSON

/// The system call filter (config-linux.md, Seccomp).
public struct LinuxSeccomp: Sendable, Hashable {
    /// What happens to calls that no rule names: `SCMP_ACT_ERRNO` and the like.
    public var defaultAction: String
    /// The errno of the default action.
    public var defaultErrnoRet: UInt32?
    /// `SCMP_ARCH_X86_64` and the like.
    public var architectures: [String]
    /// For seccomp(2). Nil leaves the choice to the runtime, an empty list is none.
    public var flags: [String]?
    /// A unix socket that gets the notify descriptor.
    public var listenerPath: String?
    /// Passed with it.
    public var listenerMetadata: String?
    /// The rules.
    public var syscalls: [LinuxSyscall]

    public init(
        defaultAction: String,
        defaultErrnoRet: UInt32? = nil,
        architectures: [String] = [],
        flags: [String]? = nil,
        listenerPath: String? = nil,
        listenerMetadata: String? = nil,
        syscalls: [LinuxSyscall] = []
    ) {
        self.defaultAction = defaultAction
        self.defaultErrnoRet = defaultErrnoRet
        self.architectures = architectures
        self.flags = flags
        self.listenerPath = listenerPath
        self.listenerMetadata = listenerMetadata
        self.syscalls = syscalls
    }
}

extension LinuxSeccomp: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(defaultAction: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "defaultAction": defaultAction = try reader.read()
            case "defaultErrnoRet": defaultErrnoRet = try reader.read()
            case "architectures": architectures = try reader.read()
            case "flags": flags = try reader.read()
            case "listenerPath": listenerPath = try reader.read()
            case "listenerMetadata": listenerMetadata = try reader.read()
            case "syscalls": syscalls = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("defaultAction", defaultAction)
            writer.member("defaultErrnoRet", defaultErrnoRet)
            writer.member("architectures", architectures)
            writer.member("flags", flags)
            writer.member("listenerPath", listenerPath)
            writer.member("listenerMetadata", listenerMetadata)
            writer.member("syscalls", syscalls)
        }
    }
}

/// A rule of the filter.
public struct LinuxSyscall: Sendable, Hashable {
    /// The calls.
    public var names: [String]
    /// What happens to them.
    public var action: String
    /// The errno of the action.
    public var errnoRet: UInt32?
    /// Conditions on arguments, all of which must hold.
    public var args: [LinuxSeccompArg]

    public init(names: [String] = [], action: String, errnoRet: UInt32? = nil, args: [LinuxSeccompArg] = []) {
        self.names = names
        self.action = action
        self.errnoRet = errnoRet
        self.args = args
    }
}

extension LinuxSyscall: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(action: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "names": names = try reader.read()
            case "action": action = try reader.read()
            case "errnoRet": errnoRet = try reader.read()
            case "args": args = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("names", names)
            writer.required("action", action)
            writer.member("errnoRet", errnoRet)
            writer.member("args", args)
        }
    }
}

/// A condition on an argument.
public struct LinuxSeccompArg: Sendable, Hashable {
    /// Which, 0 to 5.
    public var index: UInt32
    /// Compared with; the mask for `SCMP_CMP_MASKED_EQ`.
    public var value: UInt64
    /// What the masked value must be.
    public var valueTwo: UInt64
    /// `SCMP_CMP_EQ` and the like.
    public var op: String

    public init(index: UInt32 = 0, value: UInt64 = 0, valueTwo: UInt64 = 0, op: String) {
        self.index = index
        self.value = value
        self.valueTwo = valueTwo
        self.op = op
    }
}

extension LinuxSeccompArg: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(op: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "index": index = try reader.read()
            case "value": value = try reader.read()
            case "valueTwo": valueTwo = try reader.read()
            case "op": op = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("index", index)
            writer.required("value", value)
            writer.member("valueTwo", valueTwo)
            writer.required("op", op)
        }
    }
}
