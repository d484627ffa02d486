import Glibc
import Linux

/// oom_score_adj of a process (proc(5)).
enum OOMScore {
    /// Without CAP_SYS_RESOURCE the value can't be lowered: then it stays, and the warning says so, as containerd's
    /// `restrict_oom_score_adj` does.
    static func adjust(_ pid: pid_t, _ value: Int, warn: (String) -> Void) throws(RuntimeError) {
        let path = "/proc/\(pid)/oom_score_adj"
        do throws(SystemError) {
            try File.writeExisting(path, String(value))
        } catch {
            guard error.errno == .access || error.errno == .perm else {
                throw RuntimeError("process.oomScoreAdj", error)
            }
            let text = try step("process.oomScoreAdj") { () throws(SystemError) in try File.readText(path) }
            let now = Int(text.split(separator: "\n").first ?? "") ?? 0
            warn("process.oomScoreAdj \(value): lowering it needs CAP_SYS_RESOURCE, it stays \(now)")
        }
    }
}
