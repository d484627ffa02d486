import JSON

/// Processor limits.
public struct LinuxCPU: Sendable, Hashable {
    /// Relative share, 2 to 262144, 1024 being normal.
    public var shares: UInt64?
    /// Microseconds a period; -1 is unlimited.
    public var quota: Int64?
    /// Microseconds that may be saved up.
    public var burst: UInt64?
    /// Microseconds.
    public var period: UInt64?
    /// Microseconds (v1).
    public var realtimeRuntime: Int64?
    /// Microseconds (v1).
    public var realtimePeriod: UInt64?
    /// List like `0-3,7`.
    public var cpus: String?
    /// List of memory nodes.
    public var mems: String?
    /// 1 makes the group idle (v2).
    public var idle: Int64?

    public init(
        shares: UInt64? = nil,
        quota: Int64? = nil,
        burst: UInt64? = nil,
        period: UInt64? = nil,
        realtimeRuntime: Int64? = nil,
        realtimePeriod: UInt64? = nil,
        cpus: String? = nil,
        mems: String? = nil,
        idle: Int64? = nil
    ) {
        self.shares = shares
        self.quota = quota
        self.burst = burst
        self.period = period
        self.realtimeRuntime = realtimeRuntime
        self.realtimePeriod = realtimePeriod
        self.cpus = cpus
        self.mems = mems
        self.idle = idle
    }
}

extension LinuxCPU: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "shares": shares = try reader.read()
            case "quota": quota = try reader.read()
            case "burst": burst = try reader.read()
            case "period": period = try reader.read()
            case "realtimeRuntime": realtimeRuntime = try reader.read()
            case "realtimePeriod": realtimePeriod = try reader.read()
            case "cpus": cpus = try reader.read()
            case "mems": mems = try reader.read()
            case "idle": idle = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("shares", shares)
            writer.member("quota", quota)
            writer.member("burst", burst)
            writer.member("period", period)
            writer.member("realtimeRuntime", realtimeRuntime)
            writer.member("realtimePeriod", realtimePeriod)
            writer.member("cpus", cpus)
            writer.member("mems", mems)
            writer.member("idle", idle)
        }
    }
}
