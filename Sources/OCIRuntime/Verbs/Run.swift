import Glibc
import Linux
import OCISpec

/// `run`: create and start in one process; in the foreground also wait and delete.
enum Run {
    struct Options {
        var detach = false
        var keep = false
    }

    /// - Returns: the code to exit with.
    static func run(_ request: LaunchRequest, _ options: Options) throws(RuntimeError) -> Int32 {
        let foreground = options.detach ? nil : try Foreground()
        let container = try Launch.create(request, .here(ownTerminal: !options.detach))
        let process = container.initProcess
        let listener = SeccompListener(
            container.seccomp, container.record.state(.created, as: "creating"), pid: process.pid)
        let notify = try NotifySocket.listen(container.directory, host: request.notifySocket)
        try process.channel.tell(.go)
        try process.expectExecution(listener)
        do throws(RuntimeError) {
            try HookRunner.run(container.plan.hooks.poststart, "poststart", container.record.state(.running))
            if let terminal = container.terminal { try terminal.open() }
        } catch {
            container.undo.run()
            throw error
        }
        container.undo.keep()
        guard let foreground else {
            try notify?.waitUntilReady(process.pidfd, mainPID: process.pid)
            return 0
        }
        // Others may command the container while it runs.
        container.directory.unlock()
        let code = try foreground.wait(process.pidfd, container.terminal, notify)
        if !options.keep { try cleanUp(container, log: request.log) }
        return code
    }

    /// `update` may have made a resctrl group meanwhile, where the host has them.
    private static func hasGroupOfUpdate(_ container: LaunchedContainer) -> Bool {
        guard File.exists(RdtPlan.root + "/schemata") else { return false }
        // A record that can't be read any more is told by whoever needs it.
        return (try? ContainerRecord.read(in: container.directory))?.ownsRdtGroup ?? false
    }

    private static func cleanUp(_ container: LaunchedContainer, log: Log) throws(RuntimeError) {
        // Somebody else may have deleted it meanwhile.
        guard try container.directory.lockAgain() else { return }
        if container.plan.rdt?.isOwn == true || hasGroupOfUpdate(container) { RdtPlan.remove(id: container.plan.id) }
        try Delete.cleanUp(
            container.directory, container.cgroup, container.record, container.plan.hooks.poststop, log: log)
    }
}
