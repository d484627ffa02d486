import JSON

/// Resource director technology (resctrl).
public struct LinuxIntelRdt: Sendable, Hashable {
    /// The class of service.
    public var closID: String?
    /// Lines written to `schemata`.
    public var schemata: [String]
    /// The cache schema.
    public var l3CacheSchema: String?
    /// The memory bandwidth schema.
    public var memBwSchema: String?
    /// Whether a monitoring group is made.
    public var enableMonitoring: Bool

    public init(
        closID: String? = nil,
        schemata: [String] = [],
        l3CacheSchema: String? = nil,
        memBwSchema: String? = nil,
        enableMonitoring: Bool = false
    ) {
        self.closID = closID
        self.schemata = schemata
        self.l3CacheSchema = l3CacheSchema
        self.memBwSchema = memBwSchema
        self.enableMonitoring = enableMonitoring
    }
}

extension LinuxIntelRdt: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "closID": closID = try reader.read()
            case "schemata": schemata = try reader.read()
            case "l3CacheSchema": l3CacheSchema = try reader.read()
            case "memBwSchema": memBwSchema = try reader.read()
            case "enableMonitoring": enableMonitoring = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("closID", closID)
            writer.member("schemata", schemata)
            writer.member("l3CacheSchema", l3CacheSchema)
            writer.member("memBwSchema", memBwSchema)
            writer.member("enableMonitoring", enableMonitoring)
        }
    }
}
