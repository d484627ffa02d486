public import OCISpec

/// Everything that applying resources will do, decided before anything is done.
public struct ResourcePlan: Sendable, Hashable {
    /// In the order in which they are made.
    public var writes: [CgroupWrite] = []
    /// The device rules for a v2 program; nil leaves devices alone or to the v1 list.
    public var deviceProgram: DeviceProgram?

    /// What is there already and decides an order.
    public struct Current: Sendable, Hashable {
        /// `memory.memsw.limit_in_bytes` of v1, nil if the kernel doesn't account swap.
        public var memoryAndSwapBytes: Int64?
        /// What is in use now.
        public var memoryUsageBytes: Int64?
        /// `memory.max` of v2; nil without a limit, or when it doesn't matter.
        public var memoryLimitBytes: Int64?
        /// The quota in `cpu.max` of v2, in microseconds; nil without one, or when it doesn't matter.
        public var quota: Int64?
        /// The file names in the v1 blkio directory, which differ with the I/O scheduler; nil assumes the usual ones.
        public var hasBFQWeight = true

        public init() {}
    }

    /// Decides how resources are applied on a host.
    ///
    /// - Throws: `CgroupError` for what the host can't do or what contradicts itself, naming the field.
    public init(
        _ resources: LinuxResources, host: CgroupHost, current: Current = Current()
    ) throws(CgroupError) {
        let versions = Versions(host: host)
        if let cpu = resources.cpu {
            writes += CPUController.plan(
                cpu, version: try versions.of("cpu", neededBy: CPUController.fields(cpu)), current: current)
            writes += CpusetController.plan(
                cpu, version: try versions.of("cpuset", neededBy: CpusetController.fields(cpu)))
        }
        if let memory = resources.memory {
            writes += try MemoryController.plan(
                memory, version: try versions.of("memory", neededBy: MemoryController.fields(memory)), current: current)
        }
        if let limit = resources.pids?.limit {
            writes += PidsController.plan(
                limit, version: try versions.of("pids", neededBy: "linux.resources.pids.limit"))
        }
        if let io = resources.blockIO {
            let field = IOController.fields(io)
            if host.hierarchy(of: "blkio") != nil {
                writes += IOController.planV1(io, hasBFQ: current.hasBFQWeight)
            } else if try versions.of("io", neededBy: field) == .v2 {
                writes += IOController.planV2(io, hasBFQ: current.hasBFQWeight)
            }
        }
        if !resources.hugepageLimits.isEmpty {
            let version = try versions.of("hugetlb", neededBy: "linux.resources.hugepageLimits")
            writes += try HugetlbController.plan(resources.hugepageLimits, version: version)
        }
        if let network = resources.network {
            writes += try NetworkController.plan(network, host: host)
        }
        if !resources.rdma.isEmpty {
            _ = try versions.of("rdma", neededBy: "linux.resources.rdma")
            writes += RdmaController.plan(resources.rdma)
        }
        if !resources.devices.isEmpty {
            let rules = try DeviceRule.rules(resources.devices)
            if host.hierarchy(of: "devices") != nil {
                writes += DevicesController.plan(rules)
            } else if host.mode == .v2 {
                deviceProgram = DeviceProgram(rules: rules)
            } else {
                throw CgroupError(
                    "plan linux.resources.devices", hint: "this host has no devices controller; mount it")
            }
        }
        writes += try UnifiedFiles.plan(resources.unified, host: host)
    }

    /// Where a controller lives.
    private struct Versions {
        let host: CgroupHost

        /// - Parameter field: the first field that needs it, nil if none does.
        func of(_ controller: String, neededBy field: String?) throws(CgroupError) -> CgroupVersion {
            if host.hierarchy(of: controller) != nil { return .v1 }
            if field == nil || host.unified?.controllers.contains(controller) == true { return .v2 }
            throw CgroupError(
                "plan \(field ?? controller)",
                hint: "this host has no \(controller) controller (see /proc/cgroups); "
                    + "it may be disabled by cgroup_disable= on the kernel's command line")
        }
    }
}
