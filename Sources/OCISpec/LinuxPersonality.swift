import JSON

/// An execution domain (personality(2)).
public struct LinuxPersonality: Sendable, Hashable {
    /// `LINUX` or `LINUX32`.
    public var domain: String
    /// None are defined.
    public var flags: [String]

    public init(domain: String, flags: [String] = []) {
        self.domain = domain
        self.flags = flags
    }
}

extension LinuxPersonality: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(domain: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "domain": domain = try reader.read()
            case "flags": flags = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("domain", domain)
            writer.member("flags", flags)
        }
    }
}
