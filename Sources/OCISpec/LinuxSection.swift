import JSON

/// What only Linux has (config-linux.md).
public struct LinuxSection: Sendable, Hashable {
    /// User ids of the user namespace.
    public var uidMappings: [LinuxIDMapping]
    /// Group ids of the user namespace.
    public var gidMappings: [LinuxIDMapping]
    /// Kernel parameters, by name with dots.
    public var sysctl: [String: String]
    /// Limits, applied through cgroups.
    public var resources: LinuxResources?
    /// Where the cgroup is: a path, or `slice:prefix:name` for systemd.
    public var cgroupsPath: String?
    /// New or joined namespaces; one that is missing is the runtime's.
    public var namespaces: [LinuxNamespace]
    /// Device nodes besides the default ones.
    public var devices: [LinuxDevice]
    /// Host network devices to move in, by name.
    public var netDevices: [String: LinuxNetDevice]
    /// The system call filter.
    public var seccomp: LinuxSeccomp?
    /// Where the filter stands in the text if it was passed over (`Spec.read(_:deferringSeccomp:)`); never written.
    public var deferredSeccomp: Range<Int>?
    /// `shared`, `slave`, `private` or `unbindable`.
    public var rootfsPropagation: String?
    /// Paths made unreadable.
    public var maskedPaths: [String]
    /// Paths made read-only.
    public var readonlyPaths: [String]
    /// The SELinux context of mounts.
    public var mountLabel: String?
    /// Cache and memory bandwidth allocation.
    public var intelRdt: LinuxIntelRdt?
    /// The NUMA policy (set_mempolicy(2)).
    public var memoryPolicy: LinuxMemoryPolicy?
    /// The execution domain (personality(2)).
    public var personality: LinuxPersonality?
    /// Offsets of the time namespace: `monotonic`, `boottime`.
    public var timeOffsets: [String: LinuxTimeOffset]

    public init(
        uidMappings: [LinuxIDMapping] = [],
        gidMappings: [LinuxIDMapping] = [],
        sysctl: [String: String] = [:],
        resources: LinuxResources? = nil,
        cgroupsPath: String? = nil,
        namespaces: [LinuxNamespace] = [],
        devices: [LinuxDevice] = [],
        netDevices: [String: LinuxNetDevice] = [:],
        seccomp: LinuxSeccomp? = nil,
        deferredSeccomp: Range<Int>? = nil,
        rootfsPropagation: String? = nil,
        maskedPaths: [String] = [],
        readonlyPaths: [String] = [],
        mountLabel: String? = nil,
        intelRdt: LinuxIntelRdt? = nil,
        memoryPolicy: LinuxMemoryPolicy? = nil,
        personality: LinuxPersonality? = nil,
        timeOffsets: [String: LinuxTimeOffset] = [:]
    ) {
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
        self.sysctl = sysctl
        self.resources = resources
        self.cgroupsPath = cgroupsPath
        self.namespaces = namespaces
        self.devices = devices
        self.netDevices = netDevices
        self.seccomp = seccomp
        self.deferredSeccomp = deferredSeccomp
        self.rootfsPropagation = rootfsPropagation
        self.maskedPaths = maskedPaths
        self.readonlyPaths = readonlyPaths
        self.mountLabel = mountLabel
        self.intelRdt = intelRdt
        self.memoryPolicy = memoryPolicy
        self.personality = personality
        self.timeOffsets = timeOffsets
    }
}

extension LinuxSection: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        try self.init(from: &reader, deferringSeccomp: false)
    }

    init(from reader: inout JSONReader, deferringSeccomp: Bool) throws(JSONError) {
        self.init()
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "uidMappings": uidMappings = try reader.read()
            case "gidMappings": gidMappings = try reader.read()
            case "sysctl": sysctl = try reader.read()
            case "resources": resources = try reader.read()
            case "cgroupsPath": cgroupsPath = try reader.read()
            case "namespaces": namespaces = try reader.read()
            case "devices": devices = try reader.read()
            case "netDevices": netDevices = try reader.read()
            case "seccomp" where deferringSeccomp: deferredSeccomp = try reader.skipValueRange()
            case "seccomp": seccomp = try reader.read()
            case "rootfsPropagation": rootfsPropagation = try reader.read()
            case "maskedPaths": maskedPaths = try reader.read()
            case "readonlyPaths": readonlyPaths = try reader.read()
            case "mountLabel": mountLabel = try reader.read()
            case "intelRdt": intelRdt = try reader.read()
            case "memoryPolicy": memoryPolicy = try reader.read()
            case "personality": personality = try reader.read()
            case "timeOffsets": timeOffsets = try reader.read()
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("uidMappings", uidMappings)
            writer.member("gidMappings", gidMappings)
            writer.member("sysctl", sysctl)
            writer.member("resources", resources)
            writer.member("cgroupsPath", cgroupsPath)
            writer.member("namespaces", namespaces)
            writer.member("devices", devices)
            writer.member("netDevices", netDevices)
            writer.member("seccomp", seccomp)
            writer.member("rootfsPropagation", rootfsPropagation)
            writer.member("maskedPaths", maskedPaths)
            writer.member("readonlyPaths", readonlyPaths)
            writer.member("mountLabel", mountLabel)
            writer.member("intelRdt", intelRdt)
            writer.member("memoryPolicy", memoryPolicy)
            writer.member("personality", personality)
            writer.member("timeOffsets", timeOffsets)
        }
    }
}
