import JSON

/// Block device limits.
public struct LinuxBlockIO: Sendable, Hashable {
    /// 10 to 1000.
    public var weight: UInt16?
    /// 10 to 1000 (v1).
    public var leafWeight: UInt16?
    /// By device.
    public var weightDevice: [LinuxWeightDevice]
    /// Bytes read a second, by device.
    public var throttleReadBpsDevice: [LinuxThrottleDevice]
    /// Operations read a second, by device.
    public var throttleReadIOPSDevice: [LinuxThrottleDevice]
    /// Bytes written a second, by device.
    public var throttleWriteBpsDevice: [LinuxThrottleDevice]
    /// Operations written a second, by device.
    public var throttleWriteIOPSDevice: [LinuxThrottleDevice]

    public init(
        weight: UInt16? = nil,
        leafWeight: UInt16? = nil,
        weightDevice: [LinuxWeightDevice] = [],
        throttleReadBpsDevice: [LinuxThrottleDevice] = [],
        throttleReadIOPSDevice: [LinuxThrottleDevice] = [],
        throttleWriteBpsDevice: [LinuxThrottleDevice] = [],
        throttleWriteIOPSDevice: [LinuxThrottleDevice] = []
    ) {
        self.weight = weight
        self.leafWeight = leafWeight
        self.weightDevice = weightDevice
        self.throttleReadBpsDevice = throttleReadBpsDevice
        self.throttleReadIOPSDevice = throttleReadIOPSDevice
        self.throttleWriteBpsDevice = throttleWriteBpsDevice
        self.throttleWriteIOPSDevice = throttleWriteIOPSDevice
    }
}

extension LinuxBlockIO: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "weight": weight = try reader.read()
            case "leafWeight": leafWeight = try reader.read()
            case "weightDevice": weightDevice = try reader.read()
            case "throttleReadBpsDevice": throttleReadBpsDevice = try reader.read()
            case "throttleReadIOPSDevice": throttleReadIOPSDevice = try reader.read()
            case "throttleWriteBpsDevice": throttleWriteBpsDevice = try reader.read()
            case "throttleWriteIOPSDevice": throttleWriteIOPSDevice = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("weight", weight)
            writer.member("leafWeight", leafWeight)
            writer.member("weightDevice", weightDevice)
            writer.member("throttleReadBpsDevice", throttleReadBpsDevice)
            writer.member("throttleReadIOPSDevice", throttleReadIOPSDevice)
            writer.member("throttleWriteBpsDevice", throttleWriteBpsDevice)
            writer.member("throttleWriteIOPSDevice", throttleWriteIOPSDevice)
        }
    }
}

/// A block device's weight.
public struct LinuxWeightDevice: Sendable, Hashable {
    /// Major number.
    public var major: Int64
    /// Minor number.
    public var minor: Int64
    /// 10 to 1000.
    public var weight: UInt16?
    /// 10 to 1000 (v1).
    public var leafWeight: UInt16?

    public init(major: Int64 = 0, minor: Int64 = 0, weight: UInt16? = nil, leafWeight: UInt16? = nil) {
        self.major = major
        self.minor = minor
        self.weight = weight
        self.leafWeight = leafWeight
    }
}

extension LinuxWeightDevice: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "major": major = try reader.read()
            case "minor": minor = try reader.read()
            case "weight": weight = try reader.read()
            case "leafWeight": leafWeight = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("major", major)
            writer.required("minor", minor)
            writer.member("weight", weight)
            writer.member("leafWeight", leafWeight)
        }
    }
}

/// A block device's rate.
public struct LinuxThrottleDevice: Sendable, Hashable {
    /// Major number.
    public var major: Int64
    /// Minor number.
    public var minor: Int64
    /// Bytes or operations a second.
    public var rate: UInt64

    public init(major: Int64 = 0, minor: Int64 = 0, rate: UInt64 = 0) {
        self.major = major
        self.minor = minor
        self.rate = rate
    }
}

extension LinuxThrottleDevice: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "major": major = try reader.read()
            case "minor": minor = try reader.read()
            case "rate": rate = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("major", major)
            writer.required("minor", minor)
            writer.member("rate", rate)
        }
    }
}
