import Glibc
import Linux

extension Cgroup {
    /// Removes the cgroup and those below it from every hierarchy; one that isn't there is success. Parents stay.
    ///
    /// The kernel lets go of a cgroup a moment after its last process has ended, so a busy one is tried again for a while.
    ///
    /// - Throws: `CgroupError` naming the processes that are still in it.
    public func remove(withinMilliseconds limit: Int = 2_000) throws(CgroupError) {
        let deadline = monotonicMilliseconds() + limit
        var failure: CgroupError?
        // One hierarchy's refusal leaves nothing behind in the others.
        for (_, directory) in directories.reversed() {
            do throws(CgroupError) {
                try removeTree(directory, until: deadline)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Removes a cgroup that nothing is left in from one hierarchy after the other, until one is in use.
    ///
    /// rmdir(2) refuses a cgroup with processes or cgroups in it (EBUSY, cgroups(7)), so asking it costs one call a hierarchy
    /// where looking for processes costs five. What it leaves is for ``killAll(withinMilliseconds:)`` and ``remove``.
    ///
    /// - Returns: whether all of it is gone.
    public func removeIfEmpty() -> Bool {
        directories.reversed().allSatisfy { _, directory in rmdir(directory) == 0 || errno == ENOENT }
    }

    private func removeTree(_ directory: String, until deadline: Int) throws(CgroupError) {
        var pause: UInt32 = 200
        while true {
            if rmdir(directory) == 0 { return }
            let reason = Errno.current
            switch reason {
            case .noEntry: return
            case .busy, .notEmpty:
                do throws(SystemError) {
                    for child in try Cgroup.children(directory) {
                        do throws(CgroupError) { try removeTree(child, until: deadline) } catch {
                            throw SystemError("remove", path: error.path, errno: error.errno ?? reason)
                        }
                    }
                } catch {
                    if error.errno == .noEntry { return }
                    throw CgroupError("remove", error, hint: remaining(directory))
                }
                if rmdir(directory) == 0 || errno == ENOENT { return }
            default: throw CgroupError("remove", path: directory, errno: reason)
            }
            if monotonicMilliseconds() > deadline {
                throw CgroupError("remove", path: directory, errno: .busy, hint: remaining(directory))
            }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }

    private func remaining(_ directory: String) -> String? {
        guard let left = try? Cgroup.processes(below: directory), !left.isEmpty else { return nil }
        return "processes are still in it: " + left.prefix(8).map { String($0) }.joined(separator: ", ")
    }
}
