import CLinux
import Cgroups
import Glibc
import JSON
import Linux
import OCISpec

/// A container that was just made; its init waits for the word.
struct LaunchedContainer {
    let initProcess: InitProcess
    let directory: StateDirectory
    let record: ContainerRecord
    let plan: LaunchPlan
    let cgroup: ContainerCgroup
    /// Takes everything back; to be kept or run.
    let undo: Undo
    let seccomp: BundleFilter?
    /// The pty's master, when this process was to have it.
    let terminal: TerminalProxy?
}

/// Makes a container: everything that can fail on the host first, then the clone, then what the parent owes the child. Any
/// failure undoes all that was made.
enum Launch {
    enum Waiting {
        /// For `start`, with the terminal at the console socket (`create`).
        case start
        /// For this process (`run`); `ownTerminal` keeps the terminal here.
        case here(ownTerminal: Bool)
    }

    static func create(_ request: LaunchRequest, _ waiting: Waiting) throws(RuntimeError) -> LaunchedContainer {
        let bundle = try Bundle.read(request.bundle)
        if case .start = waiting { try validate(bundle, needsProcess: false) } else { try validate(bundle) }
        let undo = Undo()
        let directory = try StateDirectory.make(request.id, root: request.root)
        undo.add { try? directory.remove() }
        let plan = try plan(bundle, request, directory)
        let rootfs = try step("root filesystem") { () throws(SystemError) in try FileStatus(plan.rootfs) }
        if !rootfs.isDirectory { throw RuntimeError("root filesystem: \(plan.rootfs): Not a directory") }
        try copyConfiguration(bundle, directory)
        let pidfdSocket = try PidfdSocket.connect(request.pidfdSocket)
        let sources: BindSources
        do throws(RuntimeError) {
            sources = try BindSources(plan, inChild: geteuid() != 0)
        } catch {
            throw initFailure(error)
        }
        var keepsTerminal = false
        if case .here(ownTerminal: true) = waiting { keepsTerminal = true }
        let console = try Console.open(plan.process, socket: request.consoleSocket, here: keepsTerminal)
        var gate: StartGate?
        if case .start = waiting { gate = try StartGate(directory) }
        let seccomp = try bundle.seccomp(cache: request.root)
        if let seccomp { request.log.debug("seccomp filter flags: \(seccomp.program.flags)") }
        var joins = try NamespaceJoins(plan.namespaces.joined)
        var cgroup = try ContainerCgroup.prepare(plan, request, undo)
        let tasks = try cgroup.openTasks()
        let birthplace = try cgroup.openBirthplace()
        let time = try TimeNamespace(plan)
        let ends = try ChannelEnds()
        let context = InitContext(
            plan: plan, channel: Channel(number: ends.child.raw), parentEnd: ends.parent.raw,
            lock: directory.descriptor.raw,
            gate: gate.map { .socket($0.number) } ?? .channel, sources: sources.prepared, console: console.target,
            seccomp: seccomp, cgroup: cgroup.cgroup, tasks: tasks?.numbers ?? [], joins: joins.inChild,
            rootfsStatus: rootfs,
            preservedDescriptors: request.preservedDescriptors, newKeyring: request.newKeyring, pivots: request.pivots,
            cloneFlags: plan.namespaces.cloneFlags)
        let born: Int32
        switch birthplace {
        case .some(let directory): born = directory.raw
        case .none: born = -1
        }
        let initProcess: InitProcess
        do throws(RuntimeError) {
            initProcess = try Clone.start(context, joins: &joins, ends: ends, cgroup: born)
        } catch {
            throw initFailure(error)
        }
        withExtendedLifetime(tasks) {}
        if !plan.namespaces.has(.mount) { undo.add { RootfsStage.clear(plan, before: rootfs) } }
        undo.add { initProcess.destroy() }
        try time.leave()
        try serve(initProcess, plan, sources, &cgroup, request)
        let record = try write(plan, bundle, initProcess.pid, cgroup, request, in: directory)
        try pidfdSocket?.send(initProcess.pidfd, name: "standard")
        if let file = request.pidFile {
            try step("write the pid file") { () throws(SystemError) in
                try AtomicFile.write(file, String(initProcess.pid), mode: 0o644)
            }
        }
        return LaunchedContainer(
            initProcess: initProcess, directory: directory, record: record, plan: plan, cgroup: cgroup, undo: undo,
            seccomp: seccomp, terminal: console.proxy)
    }

    private static func plan(
        _ bundle: Bundle, _ request: LaunchRequest, _ directory: StateDirectory
    ) throws(RuntimeError) -> LaunchPlan {
        var spec = bundle.spec
        spec.process?.env += request.activation.environment
        if request.notifySocket != nil { try NotifySocket.prepare(directory, &spec) }
        let plan = try LaunchPlan(spec, id: request.id, bundle: bundle.path) { request.log.warning($0) }
        request.log.debug("plan: \(plan)")
        return plan
    }

    /// Nobody changes a container's configuration after it was made.
    static func copyConfiguration(_ bundle: Bundle, _ directory: StateDirectory) throws(RuntimeError) {
        try step("copy config.json") { () throws(SystemError) in
            try File.open("config.json", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: directory.descriptor.raw)
                .writeAll(bundle.bytes)
        }
    }

    /// - Parameter needsProcess: `create` takes a configuration without one (config.md, Process: it is for `start`).
    static func validate(_ bundle: Bundle, needsProcess: Bool = true) throws(RuntimeError) {
        let isOnlyCreated = !needsProcess && bundle.spec.process == nil
        let violations = isOnlyCreated ? bundle.spec.validate() : bundle.spec.validateForStart()
        if violations.isEmpty { return }
        throw RuntimeError("\(bundle.path)/config.json: " + violations.map(\.description).joined(separator: "; "))
    }

    /// What the init can't do for itself, and the conversation with it.
    private static func serve(
        _ initProcess: InitProcess, _ plan: LaunchPlan, _ sources: borrowing BindSources,
        _ cgroup: inout ContainerCgroup, _ request: LaunchRequest
    ) throws(RuntimeError) {
        let pid = initProcess.pid
        if plan.namespaces.creates(.user) {
            try UserMappings.write(plan.uidMappings, plan.gidMappings, pid: pid)
        }
        if plan.namespaces.has(.user) { try initProcess.channel.tell(.go) }
        // Meanwhile the init mounts.
        try cgroup.limit(plan)
        if let adjustment = plan.process.oomScoreAdjustment {
            try OOMScore.adjust(pid, adjustment) { request.log.warning($0) }
        }
        do throws(RuntimeError) { try initProcess.expectMounts(plan, sources) } catch { throw initFailure(error) }
        try cgroup.admit(pid, plan)
        try plan.rdt?.admit([pid])
        // The older point: its programs were written when a container before `start` was "created" to all.
        try HookRunner.run(plan.hooks.prestart, "prestart", plan.hookState(.created, pid: pid))
        try HookRunner.run(plan.hooks.createRuntime, "createRuntime", plan.hookState(.creating, pid: pid))
        // After the hooks, which may make the devices.
        for device in plan.networkDevices { try device.move(to: pid) }
        try initProcess.channel.tell(.go)
        do throws(RuntimeError) { try initProcess.expect(.created) } catch { throw initFailure(error) }
    }

    /// Says that it was the container's inside that couldn't be made, with the words by which engines' users know that.
    private static func initFailure(_ error: RuntimeError) -> RuntimeError {
        RuntimeError("unable to start container process: error during container init: \(error)")
    }

    static func write(
        _ plan: LaunchPlan, _ bundle: Bundle, _ pid: pid_t, _ cgroup: ContainerCgroup, _ request: LaunchRequest,
        in directory: StateDirectory
    ) throws(RuntimeError) -> ContainerRecord {
        let stat = try step("look at the init") { () throws(SystemError) in try ProcessStat(pid: pid) }
        let record = ContainerRecord(
            ociVersion: bundle.spec.ociVersion, id: plan.id, pid: pid, startTime: stat.startTime, bundle: plan.bundle,
            rootfs: plan.rootfs, created: Timestamp.now(), cgroupsPath: cgroup.name, systemd: request.systemdCgroup,
            keyring: request.newKeyring, ownerUID: geteuid(), annotations: plan.annotations)
        try record.write(in: directory)
        return record
    }
}
