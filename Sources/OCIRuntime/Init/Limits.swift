import CLinux
import Glibc
import Linux

/// Resource limits of the calling process.
enum Limits {
    static func apply(_ limits: [ProcessPlan.Limit]) throws(RuntimeError) {
        for limit in limits {
            let result = sys_prlimit(0, limit.resource, limit.soft, limit.hard)
            if result == 0 { continue }
            var (soft, hard): (UInt64, UInt64) = (0, 0)
            let reason = Errno(rawValue: -result)
            if reason == .perm, sys_getrlimit(0, limit.resource, &soft, &hard) == 0, limit.hard > hard {
                throw RuntimeError(
                    "process.rlimits: \(limit.name): hard \(limit.hard) is above this process's \(hard), and raising it needs "
                        + "CAP_SYS_RESOURCE: \(reason)")
            }
            throw RuntimeError("process.rlimits: \(limit.name) soft \(limit.soft) hard \(limit.hard): \(reason)")
        }
    }
}
