extension Process {
    /// The violations of a process on its own, as `exec --process` gets it.
    public func validate() -> [SpecViolation] {
        var violations = Violations()
        validate(&violations)
        return violations.found
    }

    func validate(_ violations: inout Violations) {
        let clause = "config.md, Process"
        violations.absolute(cwd, "process.cwd", clause)
        for (index, argument) in args.enumerated() { violations.text(argument, "process.args[\(index)]", clause) }
        for (index, variable) in env.enumerated() { violations.text(variable, "process.env[\(index)]", clause) }
        if let consoleSize {
            violations.require(
                consoleSize.height <= 65535 && consoleSize.width <= 65535, "process.consoleSize",
                "a terminal has at most 65535 rows and columns", clause)
        }
        if let oomScoreAdj {
            violations.require(
                (-1000...1000).contains(oomScoreAdj), "process.oomScoreAdj", "\(oomScoreAdj) is not from -1000 to 1000",
                "config.md, Linux Process")
        }
        validateRlimits(&violations)
        validateScheduling(&violations)
        if let affinity = execCPUAffinity {
            violations.numberList(affinity.initial, "process.execCPUAffinity.initial", "config.md, Linux Process")
            violations.numberList(affinity.final, "process.execCPUAffinity.final", "config.md, Linux Process")
        }
    }

    private func validateRlimits(_ violations: inout Violations) {
        let clause = "config.md, POSIX process"
        var seen: Set<String> = []
        for (index, limit) in rlimits.enumerated() {
            let path = "process.rlimits[\(index)]"
            violations.require(
                POSIXRlimit.types.contains(limit.type), path + ".type", "'\(limit.type)' is no limit of Linux", clause)
            violations.require(seen.insert(limit.type).inserted, path + ".type", "\(limit.type) is there twice", clause)
            violations.require(
                limit.soft <= limit.hard, path + ".soft", "\(limit.soft) is more than the hard limit \(limit.hard)",
                clause)
        }
    }

    private func validateScheduling(_ violations: inout Violations) {
        let clause = "config.md, Linux Process"
        if let scheduler {
            violations.oneOf(scheduler.policy, Scheduler.policies, "process.scheduler.policy", clause)
            for (index, flag) in scheduler.flags.enumerated() {
                violations.oneOf(flag, Scheduler.allFlags, "process.scheduler.flags[\(index)]", clause)
            }
            if let nice = scheduler.nice {
                violations.require(
                    (-20...19).contains(nice), "process.scheduler.nice", "\(nice) is not from -20 to 19", clause)
            }
            let realTime = scheduler.policy == "SCHED_FIFO" || scheduler.policy == "SCHED_RR"
            violations.require(
                scheduler.priority ?? 0 == 0 || realTime, "process.scheduler.priority",
                "only SCHED_FIFO and SCHED_RR have one", clause)
            let timed = [scheduler.runtime, scheduler.deadline, scheduler.period].contains { $0 ?? 0 != 0 }
            violations.require(
                !timed || scheduler.policy == "SCHED_DEADLINE", "process.scheduler.runtime",
                "only SCHED_DEADLINE has runtime, deadline and period", clause)
        }
        if let ioPriority {
            violations.oneOf(ioPriority.class, LinuxIOPriority.classes, "process.ioPriority.class", clause)
            violations.require(
                (0...7).contains(ioPriority.priority ?? 0), "process.ioPriority.priority",
                "\(ioPriority.priority ?? 0) is not from 0 to 7", clause)
        }
    }
}

extension POSIXRlimit {
    /// The limits of Linux (getrlimit(2)).
    static let types: Set<String> = [
        "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK",
        "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO",
        "RLIMIT_RTTIME",
        "RLIMIT_SIGPENDING", "RLIMIT_STACK",
    ]
}

extension Scheduler {
    static let policies = [
        "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
    ]
    static let allFlags = [
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
        "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ]
}

extension LinuxIOPriority {
    static let classes = ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"]
}
