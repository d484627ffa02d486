import JSON

/// Memory limits in bytes; -1 is unlimited.
public struct LinuxMemory: Sendable, Hashable {
    /// The hard limit.
    public var limit: Int64?
    /// The soft limit.
    public var reservation: Int64?
    /// Memory and swap together.
    public var swap: Int64?
    /// Kernel memory (deprecated, v1).
    public var kernel: Int64?
    /// TCP buffers (deprecated, v1).
    public var kernelTCP: Int64?
    /// 0 to 100 (v1).
    public var swappiness: UInt64?
    /// v1.
    public var disableOOMKiller: Bool?
    /// v1.
    public var useHierarchy: Bool?
    /// Refuse an update to less than is in use.
    public var checkBeforeUpdate: Bool?

    public init(
        limit: Int64? = nil,
        reservation: Int64? = nil,
        swap: Int64? = nil,
        kernel: Int64? = nil,
        kernelTCP: Int64? = nil,
        swappiness: UInt64? = nil,
        disableOOMKiller: Bool? = nil,
        useHierarchy: Bool? = nil,
        checkBeforeUpdate: Bool? = nil
    ) {
        self.limit = limit
        self.reservation = reservation
        self.swap = swap
        self.kernel = kernel
        self.kernelTCP = kernelTCP
        self.swappiness = swappiness
        self.disableOOMKiller = disableOOMKiller
        self.useHierarchy = useHierarchy
        self.checkBeforeUpdate = checkBeforeUpdate
    }
}

extension LinuxMemory: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "limit": limit = try reader.read()
            case "reservation": reservation = try reader.read()
            case "swap": swap = try reader.read()
            case "kernel": kernel = try reader.read()
            case "kernelTCP": kernelTCP = try reader.read()
            case "swappiness": swappiness = try reader.read()
            case "disableOOMKiller": disableOOMKiller = try reader.read()
            case "useHierarchy": useHierarchy = try reader.read()
            case "checkBeforeUpdate": checkBeforeUpdate = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("limit", limit)
            writer.member("reservation", reservation)
            writer.member("swap", swap)
            writer.member("kernel", kernel)
            writer.member("kernelTCP", kernelTCP)
            writer.member("swappiness", swappiness)
            writer.member("disableOOMKiller", disableOOMKiller)
            writer.member("useHierarchy", useHierarchy)
            writer.member("checkBeforeUpdate", checkBeforeUpdate)
        }
    }
}
