import JSON

/// Network classes (cgroup v1).
public struct LinuxNetwork: Sendable, Hashable {
    /// The class put on packets.
    public var classID: UInt32?
    /// By interface.
    public var priorities: [LinuxInterfacePriority]

    public init(classID: UInt32? = nil, priorities: [LinuxInterfacePriority] = []) {
        self.classID = classID
        self.priorities = priorities
    }
}

extension LinuxNetwork: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "classID": classID = try reader.read()
            case "priorities": priorities = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("classID", classID)
            writer.member("priorities", priorities)
        }
    }
}

/// The priority of traffic on an interface.
public struct LinuxInterfacePriority: Sendable, Hashable {
    /// The interface.
    public var name: String
    /// The priority.
    public var priority: UInt32

    public init(name: String, priority: UInt32 = 0) {
        self.name = name
        self.priority = priority
    }
}

extension LinuxInterfacePriority: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(name: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "name": name = try reader.read()
            case "priority": priority = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("name", name)
            writer.required("priority", priority)
        }
    }
}

/// RDMA limits of a device.
public struct LinuxRdma: Sendable, Hashable {
    /// Handles at most.
    public var hcaHandles: UInt32?
    /// Objects at most.
    public var hcaObjects: UInt32?

    public init(hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
        self.hcaHandles = hcaHandles
        self.hcaObjects = hcaObjects
    }
}

extension LinuxRdma: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "hcaHandles": hcaHandles = try reader.read()
            case "hcaObjects": hcaObjects = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("hcaHandles", hcaHandles)
            writer.member("hcaObjects", hcaObjects)
        }
    }
}
