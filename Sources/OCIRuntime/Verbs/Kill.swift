import Cgroups
import Glibc
import Linux

/// `kill`: a signal to the init, or to every process of the container.
enum Kill {
    static func run(_ id: ContainerID, root: String, signal name: String, all: Bool) throws(RuntimeError) {
        let number = try SignalName.number(name)
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        if all {
            let cgroup = try Delete.openCgroup(record)
            return try cgroups { () throws(CgroupError) in try cgroup.signal(number) }
        }
        guard let process = try record.openInit() else { throw RuntimeError("container not running") }
        do throws(SystemError) {
            try process.signal(number)
        } catch {
            if error.errno == .noProcess { throw RuntimeError("container not running") }
            throw RuntimeError("kill \(id)", error)
        }
    }
}
