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
        try process.channel.tell(.go)
        try process.expectExecution()
        do throws(RuntimeError) {
            try HookRunner.run(container.plan.hooks.poststart, "poststart", container.record.state(.running))
            if let terminal = container.terminal { try terminal.open() }
        } catch {
            container.undo.run()
            throw error
        }
        container.undo.keep()
        switch foreground {
        case .none: return 0
        case .some(let foreground):
            let code = try foreground.wait(process.pidfd, container.terminal)
            if !options.keep {
                try Delete.cleanUp(
                    container.directory, container.cgroup, container.record, container.plan.hooks.poststop,
                    log: request.log)
            }
            return code
        }
    }
}
