import CLinux
import Cgroups
import Glibc
import JSON
import Linux
import OCISpec

/// `update`: other limits for a container that runs. Devices are left as they are.
enum Update {
    static func run(
        _ id: ContainerID, root: String, _ flags: Arguments.Flags, log: Log
    ) throws(RuntimeError) {
        // Where the host has none it is said before anything is changed.
        _ = try rdt(flags, of: nil, id)
        var resources: LinuxResources
        if let file = flags["resources"] { resources = try read(file) } else { resources = try build(flags) }
        resources.devices = []
        if resources.memory?.kernel != nil || resources.memory?.kernelTCP != nil {
            log.warning("Kernel memory settings are ignored and will be removed")
            resources.memory?.kernel = nil
            resources.memory?.kernelTCP = nil
        }
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        if !record.isInitAlive { throw RuntimeError("container not running") }
        let cgroup = try Delete.openCgroup(record)
        if record.systemd {
            try SystemdCgroup(record.cgroupsPath, id: record.id).update(resources, host: cgroup.host)
        }
        try cgroups { () throws(CgroupError) in try cgroup.apply(resources, updating: true) }
        try apply(flags, directory, record, cgroup)
    }

    /// The cache's and the memory bandwidth's schemas.
    private static func apply(
        _ flags: Arguments.Flags, _ directory: StateDirectory, _ record: ContainerRecord, _ cgroup: Cgroup
    ) throws(RuntimeError) {
        if (flags["l3-cache-schema"] ?? "").isEmpty, (flags["mem-bw-schema"] ?? "").isEmpty { return }
        let spec = try Bundle.parse(directory.configPath, bundle: record.bundle).spec
        guard let plan = try rdt(flags, of: spec.linux?.intelRdt, ContainerID(record.id)) else { return }
        // Known before it is there: else a group that nobody takes away could stay.
        if plan.isOwn, !record.ownsRdtGroup {
            var changed = record
            changed.ownsRdtGroup = true
            try changed.write(in: directory)
        }
        try plan.admit(try cgroups { () throws(CgroupError) in try cgroup.processes() })
    }

    private static func rdt(
        _ flags: Arguments.Flags, of configured: LinuxIntelRdt?, _ id: ContainerID
    ) throws(RuntimeError) -> RdtPlan? {
        try RdtPlan.update(
            l3Cache: flags["l3-cache-schema"] ?? "", bandwidth: flags["mem-bw-schema"] ?? "", of: configured,
            id: id.text)
    }

    private static func read(_ file: String) throws(RuntimeError) -> LinuxResources {
        let name = file == "-" ? "standard input" : file
        let bytes = try step("read the resources") { () throws(SystemError) in
            if file != "-" { return try File.read(file, limit: 1 << 20) }
            return try Descriptor(owning: try check(sys_dup_cloexec(0, 3), "dup")).readAll(limit: 1 << 20)
        }
        do throws(JSONError) {
            // What follows the first value is nobody's: engines end it with a newline or two.
            return try LinuxResources.read(bytes)
        } catch {
            throw RuntimeError("\(name): \(error)")
        }
    }

    /// The flags as resources.
    static func build(_ flags: Arguments.Flags) throws(RuntimeError) -> LinuxResources {
        var cpu = LinuxCPU()
        cpu.burst = try number(flags, "cpu-burst")
        cpu.period = try number(flags, "cpu-period")
        cpu.realtimePeriod = try number(flags, "cpu-rt-period")
        cpu.shares = try number(flags, "cpu-share")
        cpu.quota = try number(flags, "cpu-quota")
        cpu.realtimeRuntime = try number(flags, "cpu-rt-runtime")
        cpu.idle = try number(flags, "cpu-idle")
        cpu.cpus = flags["cpuset-cpus"]
        cpu.mems = flags["cpuset-mems"]
        var memory = LinuxMemory()
        memory.limit = try bytes(flags, "memory")
        memory.swap = try bytes(flags, "memory-swap")
        memory.reservation = try bytes(flags, "memory-reservation")
        memory.kernel = try bytes(flags, "kernel-memory")
        memory.kernelTCP = try bytes(flags, "kernel-memory-tcp")
        var resources = LinuxResources(memory: memory, cpu: cpu)
        if let limit: Int64 = try number(flags, "pids-limit") { resources.pids = LinuxPids(limit: limit) }
        if let weight: UInt16 = try number(flags, "blkio-weight") { resources.blockIO = LinuxBlockIO(weight: weight) }
        return resources
    }

    private static func number<Value: FixedWidthInteger>(
        _ flags: Arguments.Flags, _ name: String
    ) throws(RuntimeError) -> Value? {
        guard let text = flags[name], !text.isEmpty else { return nil }
        guard let number = Value(text) else { throw RuntimeError("invalid value for \(name): \"\(text)\"") }
        return number
    }

    private static func bytes(_ flags: Arguments.Flags, _ name: String) throws(RuntimeError) -> Int64? {
        guard let text = flags[name], !text.isEmpty else { return nil }
        guard let number = ByteCount.parse(text) else {
            throw RuntimeError("invalid value for \(name): invalid size: '\(text)'")
        }
        return number
    }
}
