import CLinux
import Glibc
import Linux
import OCISpec

/// A new time namespace: it begins with the next child, so its offsets are set between unshare and clone
/// (time_namespaces(7)).
struct TimeNamespace: ~Copyable {
    /// To come back to; nil when none was made.
    private let own: Descriptor?

    init(_ plan: LaunchPlan) throws(RuntimeError) {
        guard plan.namespaces.creates(.time) else {
            own = nil
            return
        }
        own = try step("linux.timeOffsets") { () throws(SystemError) in
            let own = try File.open("/proc/self/ns/time")
            try Namespace.time.unshare()
            for (clock, offset) in plan.timeOffsets.sorted(by: { $0.key < $1.key }) {
                try File.writeExisting("/proc/self/timens_offsets", "\(clock) \(offset.secs) \(offset.nanosecs)\n")
            }
            return own
        }
    }

    /// Later children (hooks) are born outside again.
    borrowing func leave() throws(RuntimeError) {
        switch own {
        case .some(let own):
            try step("leave the time namespace") { () throws(SystemError) in try Namespace.time.join(own.raw) }
        case .none: break
        }
    }
}
