import Cgroups
import Glibc
import Linux
import OCISpec

/// `kill`: a signal to the init, or to every process of the container.
enum Kill {
    static func run(_ id: ContainerID, root: String, signal name: String, all: Bool) throws(RuntimeError) {
        let number = try SignalName.number(name)
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        if all { return try signalAll(number, Delete.openCgroup(record)) }
        if number == SIGKILL, try sharesProcesses(directory, record) {
            let cgroup = try Delete.openCgroup(record)
            if try !cgroups({ () throws(CgroupError) in try cgroup.processes().isEmpty }) {
                return try signalAll(number, cgroup)
            }
        }
        guard let process = try record.openInit() else { throw RuntimeError("container not running") }
        do throws(SystemError) {
            try process.signal(number)
        } catch {
            if error.errno == .noProcess { throw RuntimeError("container not running") }
            throw RuntimeError("kill \(id)", error)
        }
    }

    private static func signalAll(_ number: Int32, _ cgroup: Cgroup) throws(RuntimeError) {
        try cgroups { () throws(CgroupError) in try cgroup.signal(number) }
    }

    /// With a pid namespace of its own the container's processes end when its init does. Where it has none they would stay, even
    /// when the init is gone already.
    private static func sharesProcesses(_ directory: StateDirectory, _ record: ContainerRecord) throws(RuntimeError)
        -> Bool
    {
        let spec = try Bundle.parse(directory.configPath, bundle: record.bundle).spec
        return try !NamespacePlan(spec.linux?.namespaces ?? []).creates(.pid)
    }
}
