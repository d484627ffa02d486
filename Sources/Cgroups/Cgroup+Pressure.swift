/// How long the processes of a cgroup waited for each resource (PSI); nil where the kernel counts none.
public struct CgroupPressures: Sendable, Hashable {
    public var cpu: CgroupCounters.Pressure?
    public var memory: CgroupCounters.Pressure?
    public var io: CgroupCounters.Pressure?

    public init(
        cpu: CgroupCounters.Pressure? = nil, memory: CgroupCounters.Pressure? = nil,
        io: CgroupCounters.Pressure? = nil
    ) {
        self.cpu = cpu
        self.memory = memory
        self.io = io
    }
}

extension Cgroup {
    /// The pressures of the cgroup.
    ///
    /// They belong to the version 2 hierarchy, also where it has no controller of its own: on a hybrid host the cgroup has a
    /// directory there too. Version 1 alone has none.
    public func pressures() -> CgroupPressures {
        guard unifiedDirectory != nil else { return CgroupPressures() }
        func read(_ file: String) -> CgroupCounters.Pressure? {
            text(nil, file).flatMap { CgroupCounters.Pressure($0) }
        }
        return CgroupPressures(
            cpu: read("cpu.pressure"), memory: read("memory.pressure"), io: read("io.pressure"))
    }

    /// The processes in the cgroup itself, not in those below it; none when it isn't there.
    public func members() -> [Int32] {
        let listed = text(host.hierarchy(of: "pids") == nil ? nil : "pids", "cgroup.procs") ?? ""
        return listed.split(separator: "\n").compactMap { Int32($0) }
    }
}
