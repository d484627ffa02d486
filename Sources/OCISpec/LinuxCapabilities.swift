import JSON

/// The five capability sets, names with `CAP_` (capabilities(7)).
public struct LinuxCapabilities: Sendable, Hashable {
    /// The bounding set.
    public var bounding: [String]
    /// The effective set.
    public var effective: [String]
    /// The inheritable set.
    public var inheritable: [String]
    /// The permitted set.
    public var permitted: [String]
    /// The ambient set.
    public var ambient: [String]

    public init(
        bounding: [String] = [],
        effective: [String] = [],
        inheritable: [String] = [],
        permitted: [String] = [],
        ambient: [String] = []
    ) {
        self.bounding = bounding
        self.effective = effective
        self.inheritable = inheritable
        self.permitted = permitted
        self.ambient = ambient
    }
}

extension LinuxCapabilities: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "bounding": bounding = try reader.read()
            case "effective": effective = try reader.read()
            case "inheritable": inheritable = try reader.read()
            case "permitted": permitted = try reader.read()
            case "ambient": ambient = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("bounding", bounding)
            writer.member("effective", effective)
            writer.member("inheritable", inheritable)
            writer.member("permitted", permitted)
            writer.member("ambient", ambient)
        }
    }
}
