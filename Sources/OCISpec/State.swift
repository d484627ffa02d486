import JSON

/// The state of a container as hooks and the `state` command get it (runtime.md, State).
public struct State: Sendable, Hashable {
    /// The version of the specification that the state follows.
    public var ociVersion: String
    /// The container's id.
    public var id: String
    /// `creating`, `created`, `running`, `stopped` (or a runtime's own word, like runc's `paused`).
    public var status: String
    /// The first process as the runtime sees it; 0 once the container is stopped.
    public var pid: Int
    /// The bundle's absolute path.
    public var bundle: String
    /// The configuration's annotations.
    public var annotations: [String: String]

    public init(
        ociVersion: String = Spec.version, id: String, status: String, pid: Int = 0, bundle: String,
        annotations: [String: String] = [:]
    ) {
        self.ociVersion = ociVersion
        self.id = id
        self.status = status
        self.pid = pid
        self.bundle = bundle
        self.annotations = annotations
    }
}

extension State: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(ociVersion: "", id: "", status: "", bundle: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "ociVersion": ociVersion = try reader.read()
            case "id": id = try reader.read()
            case "status": status = try reader.read()
            case "pid": pid = try reader.read()
            case "bundle": bundle = try reader.read()
            case "annotations": annotations = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("ociVersion", ociVersion)
            writer.required("id", id)
            writer.required("status", status)
            if pid != 0 { writer.required("pid", pid) }
            writer.required("bundle", bundle)
            writer.member("annotations", annotations)
        }
    }
}
