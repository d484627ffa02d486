import JSON

/// A NUMA policy (set_mempolicy(2)).
public struct LinuxMemoryPolicy: Sendable, Hashable {
    /// `MPOL_BIND` and the like.
    public var mode: String
    /// List like `0-1`.
    public var nodes: String?
    /// `MPOL_F_STATIC_NODES` and the like.
    public var flags: [String]

    public init(mode: String, nodes: String? = nil, flags: [String] = []) {
        self.mode = mode
        self.nodes = nodes
        self.flags = flags
    }
}

extension LinuxMemoryPolicy: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(mode: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "mode": mode = try reader.read()
            case "nodes": nodes = try reader.read()
            case "flags": flags = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("mode", mode)
            writer.member("nodes", nodes)
            writer.member("flags", flags)
        }
    }
}
