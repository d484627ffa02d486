import Cgroups
import CLinux
import Glibc
import Linux

/// All that the cloned child needs, made before the clone. Descriptors are numbers: the parent owns the originals until the
/// child has its copies.
final class InitContext {
    enum Gate {
        /// Go on as soon as the parent says so (`run`).
        case channel
        /// Wait for `start` to connect to this listening socket (`create`).
        case socket(Int32)
    }

    let plan: LaunchPlan
    let channel: Channel
    /// The parent's end, which the child closes: else it would never see that the parent is gone.
    let parentEnd: Int32
    /// The locked state directory, which the child closes: the lock is an open file's, and would stay with it.
    let lock: Int32
    let gate: Gate
    /// One for each of the plan's mounts.
    let sources: [BindSource]
    let console: ConsoleTarget
    let seccomp: BundleFilter?
    /// Nil when there is none that this user could change.
    let cgroup: Cgroup?
    /// `tasks` files of the v1 hierarchies that the child joins.
    let tasks: [Int32]
    /// Joined by the child itself, in this order.
    let joins: [(kind: Namespace, descriptor: Int32, path: String)]
    let rootfsStatus: FileStatus
    /// Descriptors from 3 on that the program keeps.
    let preservedDescriptors: Int
    let newKeyring: Bool
    /// pivot_root, and not a moved mount with chroot.
    let pivots: Bool
    /// Whether the runtime is root.
    let isPrivileged = geteuid() == 0
    /// Of the clone that makes the init.
    let cloneFlags: UInt64
    /// For the intermediate: what to join, or -1.
    var userNamespace: Int32 = -1

    init(
        plan: LaunchPlan, channel: Channel, parentEnd: Int32, lock: Int32, gate: Gate, sources: [BindSource],
        console: ConsoleTarget,
        seccomp: BundleFilter?, cgroup: Cgroup?, tasks: [Int32],
        joins: [(kind: Namespace, descriptor: Int32, path: String)],
        rootfsStatus: FileStatus, preservedDescriptors: Int, newKeyring: Bool, pivots: Bool, cloneFlags: UInt64
    ) {
        self.plan = plan
        self.channel = channel
        self.parentEnd = parentEnd
        self.lock = lock
        self.gate = gate
        self.sources = sources
        self.console = console
        self.seccomp = seccomp
        self.cgroup = cgroup
        self.tasks = tasks
        self.joins = joins
        self.rootfsStatus = rootfsStatus
        self.preservedDescriptors = preservedDescriptors
        self.newKeyring = newKeyring
        self.pivots = pivots
        self.cloneFlags = cloneFlags
    }
}
