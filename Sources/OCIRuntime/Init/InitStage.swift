import Cgroups
import CLinux
import Glibc
import Linux
import OCISpec

/// The container's first process, from the clone to execve. It never returns to the parent's code.
enum InitStage {
    /// What clone3's child calls.
    static let entry: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
        guard let pointer else { _exit(127) }
        let context = Unmanaged<InitContext>.fromOpaque(pointer).takeUnretainedValue()
        run(context)
    }

    static func run(_ context: InitContext) -> Never {
        do throws(RuntimeError) {
            close(context.parentEnd)
            close(context.lock)
            try create(context)
            try context.channel.tell(.created)
            let starter = try waitForStart(context)
            try start(context, reportingTo: starter)
        } catch {
            context.channel.giveUp(error)
        }
    }

    /// Everything up to the moment where only `start` is missing.
    private static func create(_ context: InitContext) throws(RuntimeError) {
        try enterContainer(context)
        var kept = [context.channel.number]
        if case .socket(let listener) = context.gate { kept.append(listener) }
        try ContainerDescriptors.closeOthers(preserving: context.preservedDescriptors, but: kept)
        try becomeUser(context.plan)
    }

    /// Up to the container's root, which is this process's then.
    private static func enterContainer(_ context: InitContext) throws(RuntimeError) {
        let plan = context.plan
        if context.isPrivileged { try hide() }
        sys_set_signal_mask(0)
        // Without its mappings nobody is anybody in a new user namespace; and an intermediate speaks first.
        if plan.namespaces.has(.user) { try context.channel.waitToGoOn() }
        // A parent without root's rights couldn't have written the mappings of a process that hides.
        if !context.isPrivileged { try hide() }
        setsid()
        umask(0)
        try enterNamespaces(context)
        if context.newKeyring { try SessionKeyring.join(plan.id) }
        try setHostNames(plan)
        let ownsMounts = plan.namespaces.creates(.mount)
        let makesMounts = !plan.namespaces.joins(.mount)
        let root = makesMounts ? try RootfsStage.prepare(context) : try RootfsStage.openJoined(plan)
        try SysctlStage.apply(plan.sysctls)
        try plan.process.labels.apply()
        let console = plan.process.terminal ? try ConsoleStage.open(context, root: root.raw) : nil
        if makesMounts { try RootfsStage.protect(plan, root: root.raw) }
        try RootfsStage.makeWorkingDirectory(plan, root: root.raw)
        // Up to here this process was in no cgroup of the container: nothing that it did is charged to it, and its list of
        // devices didn't stand in the way. Now it joins, and the parent runs its
        // hooks.
        try cgroups { () throws(CgroupError) in try Cgroup.joinSelf(context.tasks) }
        try context.channel.tell(.mounted)
        try context.channel.waitToGoOn()
        if plan.namespaces.creates(.cgroup) {
            try step("new cgroup namespace") { () throws(SystemError) in try Namespace.cgroup.unshare() }
        }
        // Before the root is pivoted into, the hooks' programs are the host's; they find the container's root where they stand.
        try step("hooks.createContainer") { () throws(SystemError) in try checkErrno(fchdir(root.raw), "fchdir") }
        try HookRunner.run(plan.hooks.createContainer, "createContainer", plan.hookState(.creating, pid: getpid()))
        if makesMounts { try RootfsStage.finish(plan, root: root.raw) }
        if !ownsMounts {
            try RootfsStage.chroot(root.raw)
        } else if context.pivots {
            try RootfsStage.pivot(plan, root: root.raw)
        } else {
            try RootfsStage.moveRoot(plan, root: root.raw)
        }
        if let console { try ConsoleStage.adopt(console) }
    }

    /// What the program will be, as far as it can be so before it is started.
    private static func becomeUser(_ plan: LaunchPlan) throws(RuntimeError) {
        if let personality = plan.personality {
            try step("linux.personality") { () throws(SystemError) in
                try check(sys_personality(personality), "personality")
            }
        }
        // This process needed more open files than the program may.
        try Limits.apply(plan.process.limits)
        try plan.process.scheduling.applyProcessors()
        try plan.process.scheduling.apply()
        try plan.memoryPolicy?.apply()
        try Identity.assume(plan.process)
        try Identity.enterWorkingDirectory(plan.process.workingDirectory)
        // A program that isn't there is `create`'s failure, not `start`'s.
        if !plan.process.arguments.isEmpty { _ = try ExecStage.find(plan.process) }
    }

    /// Nobody in the container may look into this process or follow its /proc links (CVE-2019-5736).
    private static func hide() throws(RuntimeError) {
        try step("prctl PR_SET_DUMPABLE") { () throws(SystemError) in try check(sys_prctl(4, 0, 0, 0, 0), "prctl") }
    }

    private static func enterNamespaces(_ context: InitContext) throws(RuntimeError) {
        for join in context.joins {
            try step("join namespace") { () throws(SystemError) in try join.kind.join(join.descriptor, join.path) }
        }
        if context.plan.namespaces.has(.user) {
            // Inside the new namespace nobody is root before saying so.
            try step("become root of the user namespace") { () throws(SystemError) in
                try check(sys_setresgid(0), "setresgid")
                try check(sys_setresuid(0), "setresuid")
            }
        }
    }

    private static func setHostNames(_ plan: LaunchPlan) throws(RuntimeError) {
        if let name = plan.hostname {
            try step("hostname \"\(name)\"") { () throws(SystemError) in
                try check(sys_sethostname(name, name.utf8.count), "sethostname")
            }
        }
        if let name = plan.domainname {
            try step("domainname \"\(name)\"") { () throws(SystemError) in
                try check(sys_setdomainname(name, name.utf8.count), "setdomainname")
            }
        }
    }

    /// - Returns: who is told when execve fails.
    private static func waitForStart(_ context: InitContext) throws(RuntimeError) -> Channel {
        switch context.gate {
        case .channel:
            try context.channel.waitToGoOn()
            return context.channel
        case .socket(let listener):
            FirstProcessSignals.obey()
            // From here on `create` is done, and its end of the channel gone: somebody may send a signal at once.
            close(context.channel.number)
            let accepted = sys_accept(listener)
            if accepted < 0 {
                // Nobody can be told any more.
                _exit(1)
            }
            close(listener)
            return Channel(number: accepted)
        }
    }

    private static func start(_ context: InitContext, reportingTo channel: Channel) throws(RuntimeError) -> Never {
        let plan = context.plan
        do throws(RuntimeError) {
            let filter = context.seccomp.map { SeccompLoad($0.program, channel) }
            try ExecStage.become(
                plan.process, seccomp: filter, preserving: context.preservedDescriptors
            ) { () throws(RuntimeError) in
                try HookRunner.run(
                    plan.hooks.startContainer, "startContainer", plan.hookState(.created, pid: getpid()),
                    environment: plan.hooks.startContainer.isEmpty ? [] : try Environment.complete(plan.process))
            }
        } catch {
            channel.giveUp(error)
        }
    }
}

extension Channel {
    func tell(_ message: Message) throws(RuntimeError) {
        try step("tell the runtime") { () throws(SystemError) in try send(message) }
    }

    /// Waits for the parent; when it is gone, so is this process.
    func waitToGoOn() throws(RuntimeError) {
        let answer = try step("wait for the runtime") { () throws(SystemError) in try receive()?.message }
        if answer != .go { _exit(1) }
    }

    /// Tells why, and ends.
    func giveUp(_ error: RuntimeError) -> Never {
        // The other end may be gone; the exit code is all that is left then.
        try? send(error.isExecution ? .refused : .failed, Array(error.description.utf8.prefix(4000)))
        _exit(1)
    }
}
