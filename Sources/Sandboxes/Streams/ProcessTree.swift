import Glibc
import Linux

/// A process and all that descend from it.
///
/// A child that has made itself a daemon is nobody's child any more: it is known by its mark.
enum ProcessTree {
    /// Kills them all: each is stopped before its children are looked for, so that the tree can't grow away. Blocking.
    static func kill(_ root: pid_t, mark: ProcessMark) {
        var known: Set<pid_t> = [root]
        let first = try? Pidfd(pid: root)
        try? first?.signal(SIGSTOP)  // One that has ended needs no stopping.
        for _ in 0..<16 {
            waitUntilStopped(known)
            let found = descendants(of: known, mark: mark).subtracting(known)
            if found.isEmpty { break }
            for pid in found { try? Pidfd(pid: pid).signal(SIGSTOP) }
            known.formUnion(found)
        }
        for pid in known.subtracting([root]) { try? Pidfd(pid: pid).signal(SIGKILL) }
        try? first?.signal(SIGKILL)
        killRunaways(mark)
    }

    /// Looks again and again for processes that carry the mark: one that always hands over to a child of its own may be
    /// missed by many a listing of `/proc`, and is gone when enough of them in a row have nothing.
    private static func killRunaways(_ mark: ProcessMark) {
        var empty = 0
        for _ in 0..<500 where empty < 20 {
            let found = descendants(of: [], mark: mark)
            for pid in found { try? Pidfd(pid: pid).signal(SIGKILL) }
            empty = found.isEmpty ? empty + 1 : 0
            usleep(500)
        }
    }

    /// A stop takes effect when the process runs next, and a fork that it was in the middle of is still made. The kernel tells
    /// only its parent when it has stopped, so we look; one that hangs in the kernel (state D) forks nothing.
    private static func waitUntilStopped(_ pids: Set<pid_t>) {
        for _ in 0..<500 {
            let runs = pids.contains { pid in
                guard let state = (try? ProcessStat(pid: pid))?.state else { return false }
                return state == "R" || state == "S"
            }
            if !runs { return }
            usleep(1000)
        }
    }

    /// Children, and those that carry the mark.
    private static func descendants(of parents: Set<pid_t>, mark: ProcessMark) -> Set<pid_t> {
        guard let names = try? Directory.names("/proc") else { return [] }
        var found: Set<pid_t> = []
        for name in names {
            guard let pid = pid_t(name), let stat = try? ProcessStat(pid: pid), !stat.isZombie else { continue }
            if parents.contains(stat.parentPID) || mark.isOn(pid) { found.insert(pid) }
        }
        return found
    }
}
