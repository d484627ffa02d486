import Cgroups
import CLinux
import Glibc
import JSON
import Linux
import OCISpec

/// `restore`: a new container whose processes criu makes from a checkpoint's files. Only the processes come from there; mounts,
/// limits and everything else are the bundle's.
enum Restore {
    static func run(
        _ request: LaunchRequest, _ flags: Arguments.Flags, detach: Bool
    ) throws(RuntimeError) -> Int32 {
        let foreground = detach ? nil : try Foreground()
        let bundle = try Bundle.read(request.bundle)
        try Launch.validate(bundle)
        let plan = try LaunchPlan(bundle.spec, id: request.id, bundle: bundle.path) { request.log.warning($0) }
        if plan.process.terminal {
            throw RuntimeError(
                "restore: a container with a terminal is not supported by kubesim-oci (criu's pty hand-over)")
        }
        let undo = Undo()
        let directory = try StateDirectory.make(request.id, root: request.root)
        undo.add { try? directory.remove() }
        try Launch.copyConfiguration(bundle, directory)
        let options = try CriuPlan.Options(flags, state: directory.path)
        let streams = try streams(options.images)
        var cgroup = try ContainerCgroup.prepare(plan, request, undo)
        try cgroup.limit(plan)
        let root = try mountRoot(plan, directory)
        let pidFile = directory.path + "/criu.pid"
        let call = CriuPlan.restore(
            plan, root: root, pidFile: pidFile, options, streams: streams,
            isFile: { !((try? FileStatus(root + $0, followLinks: false))?.isDirectory ?? true) })
        try Criu.run(call, log: options.work + "/restore.log") { pid throws(RuntimeError) in
            // What criu makes is born where it lives itself.
            try cgroup.admitStranger(pid, plan)
        }
        let pid = try readPID(pidFile)
        // Whoever was made before criu itself had joined.
        for process in descendants(of: pid) { try cgroup.admitStranger(process, plan) }
        let pidfd = try step("restore") { () throws(SystemError) in try Pidfd(pid: pid) }
        let process = InitProcess(pid: pid, pidfd: pidfd, end: try ChannelEnds().keepParent())
        undo.add { process.destroy() }
        let record = try Launch.write(plan, bundle, pid, cgroup, request, in: directory)
        if let file = request.pidFile {
            try step("write the pid file") { () throws(SystemError) in
                try AtomicFile.write(file, String(pid), mode: 0o644)
            }
        }
        undo.keep()
        guard let foreground else { return 0 }
        directory.unlock()
        let code = try foreground.wait(process.pidfd, nil)
        if try directory.lockAgain() {
            try Delete.cleanUp(directory, cgroup, record, plan.hooks.poststop, log: request.log)
        }
        return code
    }

    /// criu wants a mount point. It is made in a mount namespace of this process's own, so nothing of it is left behind; the
    /// places of the configuration's mounts are made as for a new container.
    private static func mountRoot(_ plan: LaunchPlan, _ directory: StateDirectory) throws(RuntimeError) -> String {
        try step("restore: root filesystem") { () throws(SystemError) in
            try Namespace.mount.unshare()
            try MountTree.change("/", propagation: .slave, recursive: true)
            let path = directory.path + "/criu-root"
            try Directory.make(path, mode: 0o755)
            let tree = try MountTree.clone(plan.rootfs, recursive: true)
            try tree.attach(to: path)
            for mount in plan.mounts {
                guard case .bind(let source) = mount.kind, try !FileStatus(source).isDirectory else {
                    _ = try RootedPath.makeDirectory(mount.destination, root: tree.descriptor.raw)
                    continue
                }
                _ = try RootedPath.makeFile(mount.destination, root: tree.descriptor.raw)
            }
            return path
        }
    }

    /// The process and those below it (proc(5), children).
    private static func descendants(of pid: pid_t) -> [pid_t] {
        // One that has ended meanwhile has none.
        let text = (try? File.readText("/proc/\(pid)/task/\(pid)/children")) ?? ""
        return [pid] + text.split(separator: " ").compactMap { pid_t($0) }.flatMap { descendants(of: $0) }
    }

    private static func streams(_ images: String) throws(RuntimeError) -> [String] {
        let path = images + "/descriptors.json"
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read(path, limit: 64 << 10)
        } catch {
            throw RuntimeError("restore", error)
        }
        do throws(JSONError) {
            let names = try [String].read(bytes)
            // It is an argument of criu's: only what the kernel calls a pipe is one.
            return names.prefix(3).map { name in
                let digits = name.dropFirst(6).dropLast()
                let isPipe = name.hasPrefix("pipe:[") && name.hasSuffix("]") && UInt64(digits) != nil
                return isPipe ? name : ""
            }
        } catch {
            throw RuntimeError("\(path): \(error)")
        }
    }

    private static func readPID(_ file: String) throws(RuntimeError) -> pid_t {
        let text = try step("restore") { () throws(SystemError) in try File.readText(file, limit: 64) }
        guard let pid = pid_t(text.prefix { $0 != "\n" }), pid > 0 else {
            throw RuntimeError("restore: criu wrote no process id into \(file)")
        }
        return pid
    }
}
