import CLinux
import Glibc
import Linux
import OCISpec

/// How the kernel treats the process: processor time, input and output, where it runs and where its memory lies.
struct SchedulingPlan: Sendable {
    var scheduler: sys_scheduling?
    /// Class and level as ioprio_set(2) takes them.
    var ioPriority: Int32?
    /// Of an `exec` process, before and after it enters the container's cgroup.
    var initialProcessors: ProcessorSet?
    var finalProcessors: ProcessorSet?

    init(_ process: OCISpec.Process) throws(RuntimeError) {
        scheduler = try process.scheduler.map { value throws(RuntimeError) in try SchedulingPlan.scheduler(value) }
        ioPriority = try process.ioPriority.map { value throws(RuntimeError) in try SchedulingPlan.ioPriority(value) }
        let affinity = process.execCPUAffinity
        initialProcessors = try SchedulingPlan.processors(affinity?.initial, "initial")
        finalProcessors = try SchedulingPlan.processors(affinity?.final, "final")
    }

    private static func processors(_ list: String?, _ name: String) throws(RuntimeError) -> ProcessorSet? {
        guard let list, !list.isEmpty else { return nil }
        guard let set = ProcessorSet(list) else {
            throw RuntimeError("process.execCPUAffinity.\(name): \"\(list)\" is not a list like 0-3,7")
        }
        return set
    }

    /// linux/sched.h: SCHED_….
    private static let policies = [
        "SCHED_OTHER": UInt32(0), "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_ISO": 4, "SCHED_IDLE": 5,
        "SCHED_DEADLINE": 6,
    ]
    private static let schedulerFlags = [
        "SCHED_FLAG_RESET_ON_FORK": UInt64(1), "SCHED_FLAG_RECLAIM": 2, "SCHED_FLAG_DL_OVERRUN": 4,
        "SCHED_FLAG_KEEP_POLICY": 8, "SCHED_FLAG_KEEP_PARAMS": 0x10, "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
        "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
    ]

    private static func scheduler(_ value: Scheduler) throws(RuntimeError) -> sys_scheduling {
        guard let policy = policies[value.policy] else {
            throw RuntimeError("process.scheduler: invalid scheduler policy: \(value.policy)")
        }
        let isFair = value.policy == "SCHED_OTHER" || value.policy == "SCHED_BATCH"
        let isRealTime = value.policy == "SCHED_FIFO" || value.policy == "SCHED_RR"
        // To the other policies it means nothing (sched_setattr(2)).
        if let nice = value.nice, !(-20...19).contains(nice) {
            throw RuntimeError("process.scheduler: invalid scheduler.nice: \(nice)")
        }
        if let priority = value.priority, priority != 0, !isRealTime {
            throw RuntimeError("process.scheduler.priority can only be specified for SCHED_FIFO or SCHED_RR policy")
        }
        let isDeadline = value.policy == "SCHED_DEADLINE"
        let times = [value.runtime, value.deadline, value.period]
        if !isDeadline, times.contains(where: { $0 ?? 0 != 0 }) {
            throw RuntimeError(
                "process.scheduler runtime/deadline/period can only be specified for SCHED_DEADLINE policy")
        }
        var wanted = sys_scheduling()
        wanted.policy = policy
        wanted.nice = isFair ? value.nice ?? 0 : 0
        wanted.priority = UInt32(bitPattern: value.priority ?? 0)
        wanted.runtime = value.runtime ?? 0
        wanted.deadline = value.deadline ?? 0
        wanted.period = value.period ?? 0
        for flag in value.flags {
            guard let bit = schedulerFlags[flag] else {
                throw RuntimeError("process.scheduler: invalid scheduler flag: \(flag)")
            }
            wanted.flags |= bit
        }
        return wanted
    }

    /// Class in the upper bits, level 0 to 7 below (ioprio_set(2)).
    private static func ioPriority(_ value: LinuxIOPriority) throws(RuntimeError) -> Int32 {
        let classes = ["IOPRIO_CLASS_RT": Int32(1), "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3]
        guard let number = classes[value.class] else {
            throw RuntimeError("invalid ioPriority.Class: \(value.class)")
        }
        let level = value.priority ?? 0
        guard (0...7).contains(level) else { throw RuntimeError("invalid ioPriority.Priority: \(level)") }
        return number << 13 | level
    }

    /// Before the process gives its rights away.
    func apply() throws(RuntimeError) {
        if var scheduler {
            try step("process.scheduler") { () throws(SystemError) in
                let result = sys_sched_setattr(&scheduler)
                // SCHED_DEADLINE is for who may run on every processor (sched_setattr(2), EPERM).
                let call = "sched_setattr"
                if result == -EPERM, scheduler.policy == 6 {
                    throw SystemError(
                        call + " (process scheduler can't be used together with AllowedCPUs)", errno: .perm)
                }
                try check(result, call)
            }
        }
        if let ioPriority {
            try step("process.ioPriority") { () throws(SystemError) in
                try check(sys_ioprio_set(1, 0, ioPriority), "ioprio_set")
            }
        }
    }

    /// Once the process is in the container's cgroup: where this runtime was allowed to run is no business of the container's.
    func applyProcessors() throws(RuntimeError) {
        guard let finalProcessors else {
            // A kernel that forbids it leaves the process where it is, as before.
            try? ProcessorSet.unbindThread()
            return
        }
        try step("process.execCPUAffinity.final") { () throws(SystemError) in try finalProcessors.bindThread() }
    }
}
