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
    let seccomp: SeccompProgram?
    let cgroup: Cgroup
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
        let context = ExecContext(
            plan: plan, channel: Channel(number: ends.child.raw), parentEnd: ends.parent.raw, lock: lock,
            container: container.descriptor.raw, namespaces: flags,
            seccomp: seccomp, console: console, preservedDescriptors: preservedDescriptors)
        let process = try clone(context, ends, flags)
        do throws(RuntimeError) {
            if let adjustment = plan.oomScoreAdjustment { try OOMScore.adjust(process.pid, adjustment, warn: warn) }
            try process.expect(.created)
            // Only now: nothing that this program did on the way is charged to the container.
            try cgroups { () throws(CgroupError) in try cgroup.addProcess(process.pid) }
        } catch {
            process.destroy()
            throw error
        }
        return process
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
