import Cgroups
import Glibc
import Linux

/// `pause` and `resume`: the container's processes stand still, and go on.
enum Pause {
    static func run(_ id: ContainerID, root: String) throws(RuntimeError) {
        let (cgroup, status) = try open(id, root)
        guard status == .running || status == .created else { throw RuntimeError("container not running") }
        try cgroups { () throws(CgroupError) in try cgroup.freeze() }
    }

    static func resume(_ id: ContainerID, root: String) throws(RuntimeError) {
        let (cgroup, status) = try open(id, root)
        guard status == .paused else { throw RuntimeError("container not paused") }
        try cgroups { () throws(CgroupError) in try cgroup.thaw() }
    }

    private static func open(
        _ id: ContainerID, _ root: String
    ) throws(RuntimeError) -> (Cgroup, ContainerRecord.Status) {
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        let cgroup = try Delete.openCgroup(record)
        let status = record.status(
            isWaitingForStart: directory.isWaitingForStart, isPaused: { cgroup.isFrozen })
        return (cgroup, status)
    }
}
