import JSON

/// The root filesystem (config.md, Root).
public struct Root: Sendable, Hashable {
    /// Absolute, or relative to the bundle.
    public var path: String
    /// Whether it is mounted read-only.
    public var readonly: Bool

    public init(path: String, readonly: Bool = false) {
        self.path = path
        self.readonly = readonly
    }
}

extension Root: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(path: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "path": path = try reader.read()
            case "readonly": readonly = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("path", path)
            writer.member("readonly", readonly)
        }
    }
}

/// A mount besides the root (config.md, Mounts).
public struct Mount: Sendable, Hashable {
    /// Where, absolute inside the container.
    public var destination: String
    /// The filesystem's type; nil or `bind` or `none` for bind mounts.
    public var type: String?
    /// A device, a host path (relative to the bundle if not absolute), or a dummy name.
    public var source: String?
    /// As for `fstab`, and the specification's own.
    public var options: [String]
    /// User ids of an id-mapped mount.
    public var uidMappings: [LinuxIDMapping]
    /// Group ids of an id-mapped mount.
    public var gidMappings: [LinuxIDMapping]

    public init(
        destination: String,
        type: String? = nil,
        source: String? = nil,
        options: [String] = [],
        uidMappings: [LinuxIDMapping] = [],
        gidMappings: [LinuxIDMapping] = []
    ) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
    }
}

extension Mount: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(destination: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "destination": destination = try reader.read()
            case "type": type = try reader.read()
            case "source": source = try reader.read()
            case "options": options = try reader.read()
            case "uidMappings": uidMappings = try reader.read()
            case "gidMappings": gidMappings = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("destination", destination)
            writer.member("type", type)
            writer.member("source", source)
            writer.member("options", options)
            writer.member("uidMappings", uidMappings)
            writer.member("gidMappings", gidMappings)
        }
    }
}
