import JSON

/// Commands run around the container's life (config.md, POSIX-platform Hooks).
public struct Hooks: Sendable, Hashable {
    /// After the namespaces are made, in the runtime's namespace (deprecated).
    public var prestart: [Hook]
    /// During create, in the runtime's namespace, before `pivot_root`.
    public var createRuntime: [Hook]
    /// During create, in the container's namespace, before `pivot_root`.
    public var createContainer: [Hook]
    /// During start, in the container, before the program.
    public var startContainer: [Hook]
    /// After the program was started, in the runtime's namespace.
    public var poststart: [Hook]
    /// After the container was deleted, in the runtime's namespace.
    public var poststop: [Hook]

    public init(
        prestart: [Hook] = [],
        createRuntime: [Hook] = [],
        createContainer: [Hook] = [],
        startContainer: [Hook] = [],
        poststart: [Hook] = [],
        poststop: [Hook] = []
    ) {
        self.prestart = prestart
        self.createRuntime = createRuntime
        self.createContainer = createContainer
        self.startContainer = startContainer
        self.poststart = poststart
        self.poststop = poststop
    }
}

extension Hooks: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "prestart": prestart = try reader.read()
            case "createRuntime": createRuntime = try reader.read()
            case "createContainer": createContainer = try reader.read()
            case "startContainer": startContainer = try reader.read()
            case "poststart": poststart = try reader.read()
            case "poststop": poststop = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("prestart", prestart)
            writer.member("createRuntime", createRuntime)
            writer.member("createContainer", createContainer)
            writer.member("startContainer", startContainer)
            writer.member("poststart", poststart)
            writer.member("poststop", poststop)
        }
    }
}

/// One command of a hook point.
public struct Hook: Sendable, Hashable {
    /// Absolute path of the program.
    public var path: String
    /// As for `execv`, the name first.
    public var args: [String]
    /// The environment as `NAME=value`.
    public var env: [String]
    /// Seconds after which it is killed; greater than 0.
    public var timeout: Int?

    public init(path: String, args: [String] = [], env: [String] = [], timeout: Int? = nil) {
        self.path = path
        self.args = args
        self.env = env
        self.timeout = timeout
    }
}

extension Hook: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(path: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "path": path = try reader.read()
            case "args": args = try reader.read()
            case "env": env = try reader.read()
            case "timeout": timeout = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("path", path)
            writer.member("args", args)
            writer.member("env", env)
            writer.member("timeout", timeout)
        }
    }
}
