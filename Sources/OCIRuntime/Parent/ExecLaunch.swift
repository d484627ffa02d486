import Cgroups
import CLinux
import Glibc
import Linux
import OCISpec

/// Clones a process into a running container.
struct ExecLaunch {
    let plan: ProcessPlan
    let record: ContainerRecord
    let spec: Spec
    let seccomp: BundleFilter?
    /// Nil when the container has none.
    let cgroup: Cgroup?
    /// Below the container's, by controller; nil is every hierarchy.
    let subgroups: [(controller: String?, path: String)]
    let isPaused: Bool
    let console: ConsoleTarget
    /// The locked state directory.
    let lock: Int32
    let preservedDescriptors: Int

    /// - Parameter container: the init, proven to be the one that was recorded: its namespaces can't be another's.
    /// - Returns: the process, ready for execve once it is told to go.
    func start(_ container: borrowing Pidfd, warn: (String) -> Void) throws(RuntimeError) -> InitProcess {
        let namespaces = try NamespacePlan(spec.linux?.namespaces ?? [])
        var flags: UInt64 = 0
        for kind in namespaces.created + namespaces.joined.map(\.kind) { flags |= kind.rawValue }
        let ends = try ChannelEnds()
        let tasks = try joinsByItself ? openTasks() : nil
        let context = ExecContext(
            tasks: tasks?.numbers ?? [],
            plan: plan, channel: Channel(number: ends.child.raw), parentEnd: ends.parent.raw, lock: lock,
            container: container.descriptor.raw, namespaces: flags,
            settings: try settings(), seccomp: seccomp, console: console, preservedDescriptors: preservedDescriptors)
        let process = try clone(context, ends, flags)
        withExtendedLifetime(tasks) {}
        do throws(RuntimeError) {
            if let adjustment = plan.oomScoreAdjustment { try OOMScore.adjust(process.pid, adjustment, warn: warn) }
            try process.expect(.created)
            // Only now: nothing that this program did on the way is charged to the container.
            if !joinsByItself { try join(process.pid) }
        } catch {
            process.destroy()
            throw error
        }
        return process
    }

    /// "[CONTROLLER,…:]PATH", each controller once (runc's --cgroup).
    static func subgroups(_ texts: [String]) throws(RuntimeError) -> [(controller: String?, path: String)] {
        var found: [(controller: String?, path: String)] = []
        for text in texts {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 1 {
                if texts.count > 1 {
                    throw RuntimeError("invalid --cgroup argument: \(text) (missing <controller>: prefix)")
                }
                found.append((nil, text))
                continue
            }
            for name in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
                if name.isEmpty {
                    throw RuntimeError("invalid --cgroup argument: \(text) (empty <controller> prefix)")
                }
                if found.contains(where: { $0.controller == String(name) }) {
                    throw RuntimeError(
                        "invalid --cgroup argument(s): controller \(name) specified multiple times")
                }
                found.append((String(name), String(parts[1])))
            }
        }
        return found
    }

    /// On version 1 alone a process can join without a wait (``Cgroup/openTasks()``). In a paused container it would stand
    /// still in the middle of it.
    private var joinsByItself: Bool { subgroups.isEmpty && !isPaused && cgroup?.host.mode == .v1 }

    private func openTasks() throws(RuntimeError) -> TaskFiles? {
        guard let cgroup else { return nil }
        return try cgroups { () throws(CgroupError) in try cgroup.openTasks() }
    }

    private func join(_ pid: pid_t) throws(RuntimeError) {
        guard let cgroup else {
            if subgroups.isEmpty { return }
            throw RuntimeError("exec --cgroup: the container has no cgroup")
        }
        do throws(CgroupError) {
            if subgroups.isEmpty {
                try cgroup.addProcess(pid)
            } else {
                try cgroup.addProcess(pid, below: subgroups)
            }
        } catch {
            // The container's own processes may have moved below its cgroup, which then takes none.
            guard error.errno == .busy, subgroups.isEmpty, cgroup.host.mode == .v2 else {
                throw RuntimeError(error.description)
            }
            try cgroups { () throws(CgroupError) in try cgroup.addProcess(pid, besides: record.pid) }
        }
    }

    /// What every process of the container has, and isn't inherited from its init.
    private func settings() throws(RuntimeError) -> ExecSettings {
        ExecSettings(
            keyring: record.keyring ? record.id : nil,
            personality: try spec.linux?.personality.map { value throws(RuntimeError) in
                try LaunchPlan.personality(value)
            },
            memoryPolicy: try spec.linux?.memoryPolicy.map { policy throws(RuntimeError) in
                try MemoryPolicyPlan(policy)
            })
    }

    /// The pid namespace is joined by the parent, for its next child; everything else by the child.
    private func clone(
        _ context: ExecContext, _ ends: consuming ChannelEnds, _ flags: UInt64
    ) throws(RuntimeError) -> InitProcess {
        try SingleThread.require()
        let joinsPID = flags & Namespace.pid.rawValue != 0
        let own = try step("own pid namespace") { () throws(SystemError) in try File.open("/proc/self/ns/pid") }
        if joinsPID {
            try step("join the container's pid namespace") { () throws(SystemError) in
                try Namespace.pid.join(context.container)
            }
        }
        var pidfd: Int32 = -1
        let result = sys_clone3(
            0, &pidfd, -1, SIGCHLD, ExecInitStage.entry, Unmanaged.passUnretained(context).toOpaque())
        withExtendedLifetime(context) {}
        let parent = ends.keepParent()
        if joinsPID {
            try step("leave the container's pid namespace") { () throws(SystemError) in try Namespace.pid.join(own.raw)
            }
        }
        if result < 0 { throw RuntimeError("exec", SystemError("clone3", errno: Errno(rawValue: Int32(-result)))) }
        return InitProcess(pid: pid_t(result), pidfd: Pidfd(Descriptor(owning: pidfd)), end: parent)
    }
}
