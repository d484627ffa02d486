import Cgroups
import CLinux
import Glibc
import JSON
import Linux
import OCISpec

/// `exec`: one more process in a running container.
enum Exec {
    struct Options {
        var processFile: String?
        var arguments: [String] = []
        var pidFile: String?
        var consoleSocket: String?
        var pidfdSocket: String?
        var selinuxLabel: String?
        var apparmorProfile: String?
        /// "[CONTROLLER:]PATH", below the container's cgroup.
        var cgroups: [String] = []
        var detach = false
        var terminal: Bool?
        var workingDirectory: String?
        var environment: [String] = []
        var user: String?
        var additionalGroups: [UInt32] = []
        var capabilities: [String] = []
        var noNewPrivileges: Bool?
        var preservedDescriptors = 0
        var ignorePaused = false
    }

    /// - Returns: the code to exit with.
    static func run(_ id: ContainerID, root: String, _ options: Options, log: Log) throws(RuntimeError) -> Int32 {
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        let status = record.status(
            isWaitingForStart: directory.isWaitingForStart, isPaused: { FreezerState.isFrozen(record) })
        switch status {
        case .running, .created: break
        case .paused where options.ignorePaused: break
        case .paused: throw RuntimeError("cannot exec in a paused container (use --ignore-paused to override)")
        case .stopped: throw RuntimeError("cannot exec in a stopped container")
        }
        let bundle = try Bundle.parse(directory.configPath, bundle: record.bundle)
        let process = try ExecProcess.build(bundle.spec, options)
        let hasUsers = bundle.spec.linux?.namespaces.contains { $0.type == .user } ?? false
        let plan = try ProcessPlan(process, grantable: ProcessPlan.grantable(inUserNamespace: hasUsers)) {
            log.warning($0)
        }
        log.debug("plan: \(plan)")
        let seccomp = try bundle.seccomp(cache: root)
        guard let container = try record.openInit() else { throw RuntimeError("cannot exec in a stopped container") }
        let foreground = options.detach ? nil : try Foreground()
        let pidfdSocket = try PidfdSocket.connect(options.pidfdSocket)
        let console = try Console.open(plan, socket: options.consoleSocket, here: !options.detach)
        let joiner = try ExecLaunch(
            plan: plan, record: record, spec: bundle.spec, seccomp: seccomp, cgroup: ContainerCgroup(record).cgroup,
            subgroups: ExecLaunch.subgroups(options.cgroups), isPaused: status == .paused, console: console.target,
            lock: directory.descriptor.raw, preservedDescriptors: options.preservedDescriptors)
        let started = try joiner.start(container) { log.warning($0) }
        // It is in the container's cgroup: `delete` finds it there. In a paused container it stands still from here on, and
        // `resume` must not wait for it.
        directory.unlock()
        do throws(RuntimeError) {
            if let file = options.pidFile {
                try step("write the pid file") { () throws(SystemError) in
                    try AtomicFile.write(file, String(started.pid), mode: 0o644)
                }
            }
            try pidfdSocket?.send(started.pidfd, name: "setns")
            try started.channel.tell(.go)
            try started.expectExecution(SeccompListener(seccomp, record.state(.running), pid: started.pid))
            if let terminal = console.proxy { try terminal.open() }
        } catch {
            started.destroy()
            throw error
        }
        switch foreground {
        case .none: return 0
        case .some(let foreground): return try foreground.wait(started.pidfd, console.proxy)
        }
    }
}
