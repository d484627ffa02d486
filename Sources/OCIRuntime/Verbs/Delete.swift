import Cgroups
import CLinux
import Glibc
import Linux
import OCISpec

/// `delete`: takes a stopped (or created, or with `--force` any) container's remains away.
enum Delete {
    static func run(_ id: ContainerID, root: String, force: Bool, log: Log) throws(RuntimeError) {
        let directory: StateDirectory
        do throws(RuntimeError) {
            directory = try StateDirectory.open(id, root: root)
        } catch {
            if force, error.isNoContainer { return }
            throw error
        }
        let record: ContainerRecord
        do throws(RuntimeError) {
            record = try ContainerRecord.read(in: directory)
        } catch {
            // Half made or damaged: there is nothing to be found by it.
            guard force else { throw error }
            log.warning(error.description)
            return try step("delete \(id)") { () throws(SystemError) in try directory.remove() }
        }
        let cgroup = try ContainerCgroup(record)
        let status = record.status(isWaitingForStart: directory.isWaitingForStart, isPaused: { false })
        if status != .stopped {
            guard force || status == .created else {
                throw RuntimeError("cannot delete container \(id) that is not stopped: \(status.rawValue)")
            }
            try kill(record, cgroup.cgroup)
        }
        // The configuration may be damaged; that is no reason to keep the rest.
        let spec = (try? Bundle.parse(directory.configPath, bundle: record.bundle))?.spec
        let rdt = spec?.linux?.intelRdt
        if record.ownsRdtGroup || (rdt != nil && rdt?.closID?.isEmpty ?? true) { RdtPlan.remove(id: record.id) }
        try cleanUp(directory, cgroup, record, spec?.hooks?.poststop ?? [], log: log)
    }

    /// - Throws: for a container that has none.
    static func openCgroup(_ record: ContainerRecord) throws(RuntimeError) -> Cgroup {
        try ContainerCgroup(record).required()
    }

    private static func kill(_ record: ContainerRecord, _ cgroup: Cgroup?) throws(RuntimeError) {
        guard let process = try record.openInit() else { return }
        try step("kill the init of \(record.id)") { () throws(SystemError) in
            do throws(SystemError) {
                try process.signal(SIGKILL)
            } catch {
                if error.errno != .noProcess { throw error }
            }
            // A frozen process dies when it is thawed.
            try? cgroup?.thaw()
            if try !process.ended(withinMilliseconds: 10_000) {
                throw SystemError("wait for process \(record.pid)", errno: .timedOut)
            }
        }
    }

    /// Everything but the init, which is dead: its cgroup's processes, the cgroup, the state, then the hooks.
    static func cleanUp(
        _ directory: StateDirectory, _ cgroup: ContainerCgroup, _ record: ContainerRecord, _ poststop: [Hook], log: Log
    ) throws(RuntimeError) {
        try cgroup.remove()
        try step("delete \(record.id)") { () throws(SystemError) in try directory.remove() }
        // The specification: log a warning, and go on.
        for hook in poststop {
            do throws(RuntimeError) {
                try HookRunner.run([hook], "poststop", record.state(.stopped))
            } catch {
                log.warning(error.description)
            }
        }
    }
}
