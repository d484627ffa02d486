import JSON

/// A request with the number that its reply will carry: `{"id":7,"verb":"start","container":"c1",…}`.
public struct RequestFrame: Sendable, Hashable {
    public var id: UInt64
    public var request: Request

    public init(id: UInt64, request: Request) {
        self.id = id
        self.request = request
    }
}

extension RequestFrame: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("id", id)
            writer.required("verb", request.verb)
            request.writeMembers(to: &writer)
        }
    }
}

extension Request {
    fileprivate func writeMembers(to writer: inout JSONWriter) {
        switch self {
        case .info(let after): writer.member("after", after)
        case .create(let create): create.writeMembers(to: &writer)
        case .start(let container, let deadline):
            writer.required("container", container)
            writer.required("deadlineMilliseconds", deadline)
        case .kill(let kill):
            writer.required("container", kill.container)
            writer.member("exec", kill.exec)
            writer.required("signal", kill.signal)
            writer.member("all", kill.all)
            writer.required("deadlineMilliseconds", kill.deadlineMilliseconds)
        case .delete(let container, let force, let deadline):
            writer.required("container", container)
            writer.member("force", force)
            writer.required("deadlineMilliseconds", deadline)
        case .exec(let exec, let streams):
            writer.required("container", exec.container)
            writer.required("exec", exec.exec)
            writer.member("terminal", exec.terminal)
            writer.member("size", exec.terminalSize)
            writer.required("streams", streams.rawValue)
            writer.required("deadlineMilliseconds", exec.deadlineMilliseconds)
        case .attach(let container, let streams):
            writer.required("container", container)
            writer.required("streams", streams.rawValue)
        case .resize(let container, let size):
            writer.required("container", container)
            writer.required("size", size)
        case .closeStdin(let container), .reopenLog(let container): writer.required("container", container)
        case .subscribe, .shutdown: break
        }
    }
}

extension CreateRequest {
    fileprivate func writeMembers(to writer: inout JSONWriter) {
        writer.required("container", id)
        writer.required("bundle", bundle)
        writer.member("logDirectory", log?.directory)
        writer.member("logPath", log?.path)
        writer.member("logFileBytes", log?.limit?.fileBytes)
        writer.member("logFiles", log?.limit?.files)
        writer.member("terminal", terminal)
        writer.member("size", terminalSize)
        writer.member("stdin", stdin)
        writer.member("stdinOnce", stdinOnce)
        writer.required("privatePIDNamespace", privatePIDNamespace)
        writer.member("restore", restore)
        writer.member("runtimeArguments", runtimeArguments)
        writer.required("deadlineMilliseconds", deadlineMilliseconds)
    }
}

extension TerminalSize: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(columns: 0, rows: 0)
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "columns": columns = try reader.read()
            case "rows": rows = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("columns", columns)
            writer.required("rows", rows)
        }
    }
}

/// The members that requests are made of; each verb picks its own.
private struct RequestMembers {
    var id: UInt64 = 0
    var verb = ""
    var after: String?
    var container: String?
    var exec: String?
    var bundle: String?
    var logDirectory: String?
    var logPath: String?
    var logFileBytes: Int64?
    var logFiles: Int?
    var terminal = false
    var size: TerminalSize?
    var stdin = false
    var stdinOnce = false
    var privatePIDNamespace = true
    var restore: String?
    var runtimeArguments: [String] = []
    var signal: Int32?
    var all = false
    var force = false
    var streams: UInt16 = 0
    var deadline: Int64 = 60_000
}

extension RequestFrame: JSONReadable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        var members = RequestMembers()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "id": members.id = try reader.read()
            case "verb": members.verb = try reader.read()
            case "after": members.after = try reader.read()
            case "container": members.container = try reader.read()
            case "exec": members.exec = try reader.read()
            case "bundle": members.bundle = try reader.read()
            case "logDirectory": members.logDirectory = try reader.read()
            case "logPath": members.logPath = try reader.read()
            case "logFileBytes": members.logFileBytes = try reader.read()
            case "logFiles": members.logFiles = try reader.read()
            case "terminal": members.terminal = try reader.read()
            case "size": members.size = try reader.read()
            case "stdin": members.stdin = try reader.read()
            case "stdinOnce": members.stdinOnce = try reader.read()
            case "privatePIDNamespace": members.privatePIDNamespace = try reader.read()
            case "restore": members.restore = try reader.read()
            case "runtimeArguments": members.runtimeArguments = try reader.read()
            case "signal": members.signal = try reader.read()
            case "all": members.all = try reader.read()
            case "force": members.force = try reader.read()
            case "streams": members.streams = try reader.read()
            case "deadlineMilliseconds": members.deadline = try reader.read()
            default: try reader.skipValue()
            }
        }
        id = members.id
        guard let request = Request(members) else {
            throw reader.failure("'" + members.verb + "' is no request, or a member of it is missing")
        }
        self.request = request
    }
}

extension Request {
    fileprivate init?(_ members: RequestMembers) {
        switch members.verb {
        case "info": self = .info(after: members.after)
        case "subscribe": self = .subscribe
        case "shutdown": self = .shutdown
        default:
            guard let container = members.container, ShimLimits.isValidID(container) else { return nil }
            self.init(members, container: container)
        }
    }

    private init?(_ members: RequestMembers, container: String) {
        let streams = StreamSet(rawValue: members.streams & 7)
        switch members.verb {
        case "create":
            guard let bundle = members.bundle else { return nil }
            var log: LogPlace?
            if let directory = members.logDirectory, let path = members.logPath {
                log = LogPlace(directory: directory, path: path)
            }
            if let bytes = members.logFileBytes, let files = members.logFiles {
                guard let limit = LogLimit(fileBytes: bytes, files: files) else { return nil }
                log?.limit = limit
            }
            self = .create(
                CreateRequest(
                    id: container, bundle: bundle, log: log, terminal: members.terminal, terminalSize: members.size,
                    stdin: members.stdin, stdinOnce: members.stdinOnce,
                    privatePIDNamespace: members.privatePIDNamespace, restore: members.restore,
                    runtimeArguments: members.runtimeArguments, deadlineMilliseconds: members.deadline))
        case "start": self = .start(container: container, deadlineMilliseconds: members.deadline)
        case "kill":
            guard let signal = members.signal, (1...64).contains(signal) else { return nil }
            self = .kill(
                KillRequest(
                    container: container, exec: members.exec, signal: signal, all: members.all,
                    deadlineMilliseconds: members.deadline))
        case "delete":
            self = .delete(container: container, force: members.force, deadlineMilliseconds: members.deadline)
        case "exec":
            guard let exec = members.exec, ShimLimits.isValidID(exec) else { return nil }
            self = .exec(
                ExecRequest(
                    container: container, exec: exec, process: [], terminal: members.terminal,
                    terminalSize: members.size, deadlineMilliseconds: members.deadline),
                streams: streams)
        case "attach": self = .attach(container: container, streams: streams)
        case "resize":
            guard let size = members.size else { return nil }
            self = .resize(container: container, size)
        case "closeStdin": self = .closeStdin(container: container)
        case "reopenLog": self = .reopenLog(container: container)
        default: return nil
        }
    }
}
