import Cgroups
import CLinux
import Glibc
import JSON
import Linux
import OCISpec

/// `checkpoint`: writes a container's processes to image files by criu; then the container is deleted, unless it goes on.
enum Checkpoint {
    static func run(
        _ id: ContainerID, root: String, _ flags: Arguments.Flags, log: Log
    ) throws(RuntimeError) {
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        let status = record.status(
            isWaitingForStart: directory.isWaitingForStart, isPaused: { FreezerState.isFrozen(record) })
        if status == .created || status == .stopped {
            throw RuntimeError("Container cannot be checkpointed in \(status.rawValue) state")
        }
        if geteuid() != 0 { log.warning("checkpoint: criu needs root's rights for most containers") }
        let options = try CriuPlan.Options(flags, state: directory.path)
        let bundle = try Bundle.parse(directory.configPath, bundle: record.bundle)
        let plan = try LaunchPlan(bundle.spec, id: id, bundle: record.bundle) { log.warning($0) }
        let cgroup = try ContainerCgroup(record)
        try step("checkpoint") { () throws(SystemError) in
            for folder in [options.images, options.work] { try Directory.make(folder, mode: 0o700) }
        }
        if !options.preDump { try writeStreams(record.pid, options.images) }
        let inside = "/proc/\(record.pid)/root"
        let call = CriuPlan.dump(
            plan, pid: record.pid, options,
            freezer: cgroup.cgroup?.directory("freezer") ?? cgroup.cgroup?.directory(nil),
            isFile: { isFile($0, inside) }, inode: { (try? FileStatus($0))?.inode })
        try Criu.run(call, log: options.work + "/dump.log")
        if options.preDump || options.leaveRunning { return }
        if let process = try record.openInit() {
            _ = try step("checkpoint") { () throws(SystemError) in try process.ended(withinMilliseconds: 10_000) }
        }
        try Delete.cleanUp(directory, cgroup, record, bundle.spec.hooks?.poststop ?? [], log: log)
    }

    /// Whether a masked path is a file: looked at inside the container's root, whose links lead nowhere else.
    private static func isFile(_ path: String, _ root: String) -> Bool {
        guard let folder = try? File.open(root, OpenFlag.path | O_DIRECTORY),
            let found = try? RootedPath.open(path, root: folder.raw), let status = try? found.status()
        else { return false }
        return !status.isDirectory
    }

    /// What the standard streams are, in runc's file: at the restore the pipes among them are the new caller's.
    private static func writeStreams(_ pid: pid_t, _ images: String) throws(RuntimeError) {
        try step("checkpoint") { () throws(SystemError) in
            var names: [String] = []
            for number in 0...2 { names.append(try File.readLink("/proc/\(pid)/fd/\(number)")) }
            var writer = JSONWriter()
            names.write(to: &writer)
            try AtomicFile.write(images + "/descriptors.json", writer.bytes)
        }
    }
}
