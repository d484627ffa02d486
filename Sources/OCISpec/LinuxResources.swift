import JSON

/// Limits applied through cgroups (config-linux.md, Control groups).
public struct LinuxResources: Sendable, Hashable {
    /// The device allow list, in order.
    public var devices: [LinuxDeviceCgroup]
    /// Memory.
    public var memory: LinuxMemory?
    /// Processors.
    public var cpu: LinuxCPU?
    /// Number of tasks.
    public var pids: LinuxPids?
    /// Block devices.
    public var blockIO: LinuxBlockIO?
    /// Huge pages.
    public var hugepageLimits: [LinuxHugepageLimit]
    /// Network classes (v1 only).
    public var network: LinuxNetwork?
    /// RDMA, by device.
    public var rdma: [String: LinuxRdma]
    /// cgroup v2 files by name, written as they are.
    public var unified: [String: String]

    public init(
        devices: [LinuxDeviceCgroup] = [],
        memory: LinuxMemory? = nil,
        cpu: LinuxCPU? = nil,
        pids: LinuxPids? = nil,
        blockIO: LinuxBlockIO? = nil,
        hugepageLimits: [LinuxHugepageLimit] = [],
        network: LinuxNetwork? = nil,
        rdma: [String: LinuxRdma] = [:],
        unified: [String: String] = [:]
    ) {
        self.devices = devices
        self.memory = memory
        self.cpu = cpu
        self.pids = pids
        self.blockIO = blockIO
        self.hugepageLimits = hugepageLimits
        self.network = network
        self.rdma = rdma
        self.unified = unified
    }
}

extension LinuxResources: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "devices": devices = try reader.read()
            case "memory": memory = try reader.read()
            case "cpu": cpu = try reader.read()
            case "pids": pids = try reader.read()
            case "blockIO": blockIO = try reader.read()
            case "hugepageLimits": hugepageLimits = try reader.read()
            case "network": network = try reader.read()
            case "rdma": rdma = try reader.read()
            case "unified": unified = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("devices", devices)
            writer.member("memory", memory)
            writer.member("cpu", cpu)
            writer.member("pids", pids)
            writer.member("blockIO", blockIO)
            writer.member("hugepageLimits", hugepageLimits)
            writer.member("network", network)
            writer.member("rdma", rdma)
            writer.member("unified", unified)
        }
    }
}

/// The number of tasks.
public struct LinuxPids: Sendable, Hashable {
    /// At most; -1 is unlimited. The specification requires it.
    public var limit: Int64?

    public init(limit: Int64? = nil) {
        self.limit = limit
    }
}

extension LinuxPids: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "limit": limit = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("limit", limit)
        }
    }
}

/// A limit of huge pages of one size.
public struct LinuxHugepageLimit: Sendable, Hashable {
    /// Like `2MB`, `1GB`, `64KB`.
    public var pageSize: String
    /// Bytes.
    public var limit: UInt64

    public init(pageSize: String, limit: UInt64 = 0) {
        self.pageSize = pageSize
        self.limit = limit
    }
}

extension LinuxHugepageLimit: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        self.init(pageSize: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "pageSize": pageSize = try reader.read()
            case "limit": limit = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("pageSize", pageSize)
            writer.required("limit", limit)
        }
    }
}
