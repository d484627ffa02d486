import JSON

/// A namespace to make, or to join when `path` is given (config-linux.md, Namespaces).
public struct LinuxNamespace: Sendable, Hashable {
    /// Its kind.
    public var type: LinuxNamespaceType
    /// A namespace file to join, absolute.
    public var path: String?

    public init(type: LinuxNamespaceType, path: String? = nil) {
        self.type = type
        self.path = path
    }
}

extension LinuxNamespace: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(type: LinuxNamespaceType(rawValue: ""))
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "type": type = try reader.read()
            case "path": path = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("type", type)
            writer.member("path", path)
        }
    }
}

/// A range of ids mapped into a user namespace.
public struct LinuxIDMapping: Sendable, Hashable {
    /// The first id inside.
    public var containerID: UInt32
    /// The first id outside.
    public var hostID: UInt32
    /// How many.
    public var size: UInt32

    public init(containerID: UInt32 = 0, hostID: UInt32 = 0, size: UInt32 = 0) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }
}

extension LinuxIDMapping: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "containerID": containerID = try reader.read()
            case "hostID": hostID = try reader.read()
            case "size": size = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("containerID", containerID)
            writer.required("hostID", hostID)
            writer.required("size", size)
        }
    }
}

/// An offset of a clock.
public struct LinuxTimeOffset: Sendable, Hashable {
    /// Seconds.
    public var secs: Int64
    /// Nanoseconds, below 10^9.
    public var nanosecs: UInt32

    public init(secs: Int64 = 0, nanosecs: UInt32 = 0) {
        self.secs = secs
        self.nanosecs = nanosecs
    }
}

extension LinuxTimeOffset: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "secs": secs = try reader.read()
            case "nanosecs": nanosecs = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("secs", secs)
            writer.required("nanosecs", nanosecs)
        }
    }
}
