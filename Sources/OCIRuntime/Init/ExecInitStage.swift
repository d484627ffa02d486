import Cgroups
import CLinux
import Glibc
import Linux

/// What the container's configuration says of each of its processes.
struct ExecSettings: Sendable {
    /// The container whose session keyring is joined; nil keeps the caller's.
    var keyring: String?
    var personality: UInt?
    var memoryPolicy: MemoryPolicyPlan?
}

/// What the child of `exec` needs.
final class ExecContext {
    /// `tasks` files of the cgroups that the child joins by itself.
    let tasks: [Int32]
    let plan: ProcessPlan
    let channel: Channel
    let parentEnd: Int32
    /// The locked state directory, which the child closes: the lock is an open file's, and would stay with it.
    let lock: Int32
    /// The container's init.
    let container: Int32
    /// CLONE_NEW… of all that the container has of its own.
    let namespaces: UInt64
    let settings: ExecSettings
    let seccomp: BundleFilter?
    let console: ConsoleTarget
    let preservedDescriptors: Int

    init(
        tasks: [Int32], plan: ProcessPlan, channel: Channel, parentEnd: Int32, lock: Int32, container: Int32,
        namespaces: UInt64,
        settings: ExecSettings, seccomp: BundleFilter?, console: ConsoleTarget, preservedDescriptors: Int
    ) {
        self.tasks = tasks
        self.plan = plan
        self.channel = channel
        self.parentEnd = parentEnd
        self.lock = lock
        self.container = container
        self.namespaces = namespaces
        self.settings = settings
        self.seccomp = seccomp
        self.console = console
        self.preservedDescriptors = preservedDescriptors
    }
}

/// The process of `exec`, from the clone to execve.
enum ExecInitStage {
    static let entry: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
        guard let pointer else { _exit(127) }
        run(Unmanaged<ExecContext>.fromOpaque(pointer).takeUnretainedValue())
    }

    private static func run(_ context: ExecContext) -> Never {
        do throws(RuntimeError) {
            close(context.parentEnd)
            close(context.lock)
            try enter(context)
            try ContainerDescriptors.closeOthers(
                preserving: context.preservedDescriptors, but: context.tasks + [context.channel.number])
            try becomeUser(context.plan)
            // Only now: nothing that this program did on the way is charged to the container.
            try cgroups { () throws(CgroupError) in try Cgroup.joinSelf(context.tasks) }
            try context.channel.tell(.created)
            try context.channel.waitToGoOn()
            try context.plan.scheduling.applyProcessors()
            let filter = context.seccomp.map { SeccompLoad($0.program, context.channel) }
            try ExecStage.become(context.plan, seccomp: filter, preserving: context.preservedDescriptors)
        } catch {
            context.channel.giveUp(error)
        }
    }

    private static func enter(_ context: ExecContext) throws(RuntimeError) {
        let plan = context.plan
        // Before anything of the container is within reach, and it within reach of anything (CVE-2019-5736, CVE-2016-9962).
        try step("prctl PR_SET_DUMPABLE") { () throws(SystemError) in try check(sys_prctl(4, 0, 0, 0, 0), "prctl") }
        sys_set_signal_mask(0)
        setsid()
        if let processors = plan.scheduling.initialProcessors {
            try step("process.execCPUAffinity.initial") { () throws(SystemError) in try processors.bindThread() }
        }
        try Limits.apply(plan.limits)
        // All of these while the host's procfs is the one that is seen, and the rights are the caller's.
        try plan.labels.apply()
        try plan.scheduling.apply()
        try context.settings.memoryPolicy?.apply()
        if let personality = context.settings.personality {
            try step("linux.personality") { () throws(SystemError) in
                try check(sys_personality(personality), "personality")
            }
        }
        // All at once, through the init's own descriptor (setns(2), Linux 5.8).
        let others = context.namespaces & ~Namespace.pid.rawValue
        if others != 0 {
            try step("join the container's namespaces") { () throws(SystemError) in
                try check(sys_setns(context.container, Int32(truncatingIfNeeded: others)), "setns")
            }
        }
        if context.namespaces & Namespace.user.rawValue != 0 {
            try step("become root of the user namespace") { () throws(SystemError) in
                try check(sys_setresgid(0), "setresgid")
                try check(sys_setresuid(0), "setresuid")
            }
        }
        if let id = context.settings.keyring { try SessionKeyring.join(id) }
        if plan.terminal {
            try ConsoleStage.adopt(ConsoleStage.openInside(plan, console: context.console))
        }
    }

    private static func becomeUser(_ plan: ProcessPlan) throws(RuntimeError) {
        try Identity.assume(plan)
        try Identity.enterWorkingDirectory(plan.workingDirectory)
        _ = try ExecStage.find(plan)
    }
}
