import JSON

/// A device node made in the container (config-linux.md, Devices).
public struct LinuxDevice: Sendable, Hashable {
    /// Absolute path inside.
    public var path: String
    /// `c`, `b`, `u` or `p`.
    public var type: String
    /// Needed unless `type` is `p`.
    public var major: Int64?
    /// Needed unless `type` is `p`.
    public var minor: Int64?
    /// Permission bits.
    public var fileMode: UInt32?
    /// Owner inside.
    public var uid: UInt32?
    /// Group inside.
    public var gid: UInt32?

    public init(
        path: String,
        type: String,
        major: Int64? = nil,
        minor: Int64? = nil,
        fileMode: UInt32? = nil,
        uid: UInt32? = nil,
        gid: UInt32? = nil
    ) {
        self.path = path
        self.type = type
        self.major = major
        self.minor = minor
        self.fileMode = fileMode
        self.uid = uid
        self.gid = gid
    }
}

extension LinuxDevice: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(path: "", type: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "path": path = try reader.read()
            case "type": type = try reader.read()
            case "major": major = try reader.read()
            case "minor": minor = try reader.read()
            case "fileMode": fileMode = try reader.read()
            case "uid": uid = try reader.read()
            case "gid": gid = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("path", path)
            writer.required("type", type)
            writer.member("major", major)
            writer.member("minor", minor)
            writer.member("fileMode", fileMode)
            writer.member("uid", uid)
            writer.member("gid", gid)
        }
    }
}

/// A network device moved into the container.
public struct LinuxNetDevice: Sendable, Hashable {
    /// Its name inside; nil keeps it.
    public var name: String?

    public init(name: String? = nil) {
        self.name = name
    }
}

extension LinuxNetDevice: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "name": name = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", name)
        }
    }
}

/// An entry of the device allow list.
public struct LinuxDeviceCgroup: Sendable, Hashable {
    /// Whether it allows or denies.
    public var allow: Bool
    /// `a` (all), `c` or `b`; nil is all.
    public var type: String?
    /// nil or -1 is any.
    public var major: Int64?
    /// nil or -1 is any.
    public var minor: Int64?
    /// Of `r`, `w`, `m`; nil is all.
    public var access: String?

    public init(allow: Bool, type: String? = nil, major: Int64? = nil, minor: Int64? = nil, access: String? = nil) {
        self.allow = allow
        self.type = type
        self.major = major
        self.minor = minor
        self.access = access
    }
}

extension LinuxDeviceCgroup: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(allow: false)
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "allow": allow = try reader.read()
            case "type": type = try reader.read()
            case "major": major = try reader.read()
            case "minor": minor = try reader.read()
            case "access": access = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("allow", allow)
            writer.member("type", type)
            writer.member("major", major)
            writer.member("minor", minor)
            writer.member("access", access)
        }
    }
}
