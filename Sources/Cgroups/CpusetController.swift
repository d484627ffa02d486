import OCISpec

/// `cpuset`: processors and memory nodes.
enum CpusetController {
    static func fields(_ cpu: LinuxCPU) -> String? {
        if cpu.cpus?.isEmpty == false { return "linux.resources.cpu.cpus" }
        return cpu.mems?.isEmpty == false ? "linux.resources.cpu.mems" : nil
    }

    /// The files have the same names in both versions.
    static func plan(_ cpu: LinuxCPU, version: CgroupVersion) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        if let cpus = cpu.cpus, !cpus.isEmpty {
            writes.append(CgroupWrite("cpuset", "cpuset.cpus", cpus, for: "linux.resources.cpu.cpus"))
        }
        if let mems = cpu.mems, !mems.isEmpty {
            writes.append(CgroupWrite("cpuset", "cpuset.mems", mems, for: "linux.resources.cpu.mems"))
        }
        return writes
    }
}
