import JSON

extension ExitRecord: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(pid: 0, exitCode: 0, signal: 0, finishedAtNanoseconds: 0)
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "pid": pid = try reader.read()
            case "exitCode": exitCode = try reader.read()
            case "signal": signal = try reader.read()
            case "finishedAt": finishedAtNanoseconds = try reader.read()
            case "oomKilled": oomKilled = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("pid", pid)
            writer.required("exitCode", exitCode)
            writer.required("signal", signal)
            writer.required("finishedAt", finishedAtNanoseconds)
            writer.required("oomKilled", oomKilled)
        }
    }
}

extension ExecInfo: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(id: "", pid: 0)
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "id": id = try reader.read()
            case "pid": pid = try reader.read()
            case "exit": exit = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("id", id)
            writer.required("pid", pid)
            writer.member("exit", exit)
        }
    }
}

extension ContainerInfo: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(id: "", stage: .creating, pid: 0)
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "id": id = try reader.read()
            case "stage":
                guard let known = ContainerStage(rawValue: try reader.read()) else {
                    throw reader.failure("a stage that is not known")
                }
                stage = known
            case "pid": pid = try reader.read()
            case "createdAt": createdAtNanoseconds = try reader.read()
            case "startedAt": startedAtNanoseconds = try reader.read()
            case "exit": exit = try reader.read()
            case "lostLogBytes": lostLogBytes = try reader.read()
            case "execs": execs = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("id", id)
            writer.required("stage", stage.rawValue)
            writer.required("pid", pid)
            writer.required("createdAt", createdAtNanoseconds)
            writer.required("startedAt", startedAtNanoseconds)
            writer.member("exit", exit)
            if lostLogBytes > 0 { writer.required("lostLogBytes", lostLogBytes) }
            writer.member("execs", execs)
        }
    }
}

extension ShimInfo: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(sandbox: "", pid: 0, version: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "sandbox": sandbox = try reader.read()
            case "pid": pid = try reader.read()
            case "version": version = try reader.read()
            case "networkNamespace": networkNamespace = try reader.read()
            case "containers": containers = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("sandbox", sandbox)
            writer.required("pid", pid)
            writer.required("version", version)
            writer.member("networkNamespace", networkNamespace)
            writer.member("containers", containers)
        }
    }
}
