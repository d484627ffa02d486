import JSON

/// What a shim answers.
public struct Reply: Sendable, Hashable {
    /// `create` and `exec`: the process that was made.
    public var pid: Int32?
    /// `delete`: how the container ended.
    public var exit: ExitRecord?
    /// `info`: a page of it.
    public var info: ShimInfo?
    /// `info`: there are more containers; ask again with the last id as `after`.
    public var more: Bool

    public init(pid: Int32? = nil, exit: ExitRecord? = nil, info: ShimInfo? = nil, more: Bool = false) {
        self.pid = pid
        self.exit = exit
        self.info = info
        self.more = more
    }
}

/// What a shim sends: the reply to a request, or an event.
public enum ShimFrame: Sendable, Hashable {
    case reply(id: UInt64, Reply)
    case failure(id: UInt64, ShimFailure)
    case event(ShimEvent)
}

extension ShimFrame: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .reply(let id, let reply):
                writer.required("id", id)
                writer.member("pid", reply.pid)
                writer.member("exit", reply.exit)
                writer.member("info", reply.info)
                writer.member("more", reply.more)
            case .failure(let id, let failure):
                writer.required("id", id)
                writer.required("error", failure.code.rawValue)
                writer.required("message", failure.message)
            case .event(.exited(let container, let exec, let record)):
                writer.required("event", "exited")
                writer.required("container", container)
                writer.member("exec", exec)
                writer.required("exit", record)
            case .event(.oom(let container)):
                writer.required("event", "oom")
                writer.required("container", container)
            case .event(.outputLost(let container, let reason)):
                writer.required("event", "outputLost")
                writer.required("container", container)
                writer.required("message", reason)
            case .event(.disconnected):
                writer.required("event", "disconnected")
            }
        }
    }
}

extension ShimFrame: JSONReadable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        var id: UInt64?
        var reply = Reply()
        var code: String?
        var message = ""
        var event: String?
        var container: String?
        var exec: String?
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "id": id = try reader.read()
            case "pid": reply.pid = try reader.read()
            case "exit": reply.exit = try reader.read()
            case "info": reply.info = try reader.read()
            case "more": reply.more = try reader.read()
            case "error": code = try reader.read()
            case "message": message = try reader.read()
            case "event": event = try reader.read()
            case "container": container = try reader.read()
            case "exec": exec = try reader.read()
            default: try reader.skipValue()
            }
        }
        if let id {
            if let code {
                self = .failure(id: id, ShimFailure(ShimFailure.Code(rawValue: code) ?? .system, message))
            } else {
                self = .reply(id: id, reply)
            }
            return
        }
        switch (event, container, reply.exit) {
        case ("exited", let container?, let record?):
            self = .event(.exited(container: container, exec: exec, record))
        case ("oom", let container?, _): self = .event(.oom(container: container))
        case ("outputLost", let container?, _):
            self = .event(.outputLost(container: container, reason: message))
        case ("disconnected", _, _): self = .event(.disconnected)
        default: throw reader.failure("neither a reply nor an event that is known")
        }
    }
}
