import CLinux
import Glibc
import Linux

extension Cgroup {
    /// Sends a signal to every process in the cgroup and below it. A cgroup that isn't there has none.
    ///
    /// A process is signalled through its descriptor and only if it is still in the cgroup once that is open, so a number
    /// that was given to another process meanwhile is never hit.
    public func signal(_ number: Int32) throws(CgroupError) {
        _ = try signalEach(number)
    }

    /// Kills every process in the cgroup and below it, also ones that fork meanwhile, and returns when all have ended.
    ///
    /// Whoever made the cgroup may take it away as soon as it is empty, as systemd does: nobody is left in it then.
    ///
    /// - Throws: `CgroupError` if some are still there after the time, for instance in an uninterruptible call.
    public func killAll(withinMilliseconds limit: Int = 10_000) throws(CgroupError) {
        let deadline = monotonicMilliseconds() + limit
        if let file = unifiedDirectory.map({ $0 + "/cgroup.kill" }), File.exists(file) {
            do throws(CgroupError) {
                try write(file, "1", "kill")
                try? thaw()
                try waitForEvent("populated 0", withinMilliseconds: limit, "kill")
            } catch {
                // A file that is open still tells that its cgroup is gone (kernfs).
                if error.errno != .noEntry && error.errno != .noDevice { throw error }
            }
            // Who is only in a v1 hierarchy wasn't reached.
            if host.mode == .v2 { return }
        }
        try killEach(until: deadline)
    }

    private func killEach(until deadline: Int) throws(CgroupError) {
        while true {
            let ends = try signalEach(SIGKILL)
            if ends.isEmpty { return }
            // v1 delivers nothing to the frozen.
            try? thaw()
            for process in ends {
                let left = deadline - monotonicMilliseconds()
                do throws(SystemError) {
                    if left > 0, try process.pidfd.ended(withinMilliseconds: Int32(clamping: left)) { continue }
                } catch {
                    throw CgroupError("kill process \(process.pid)", error)
                }
                throw CgroupError(
                    "kill", path: mainDirectory, errno: .timedOut,
                    hint:
                        "process \(process.pid) doesn't end; it may be stuck in the kernel (see /proc/\(process.pid)/stack)"
                )
            }
        }
    }

    private final class Target {
        let pid: pid_t
        let pidfd: Pidfd

        init(pid: pid_t, pidfd: consuming Pidfd) {
            self.pid = pid
            self.pidfd = pidfd
        }
    }

    private func signalEach(_ number: Int32) throws(CgroupError) -> [Target] {
        var targets: [Target] = []
        for pid in try everybody() {
            do throws(SystemError) {
                targets.append(Target(pid: pid, pidfd: try Pidfd(pid: pid)))
            } catch {
                if error.errno != .noProcess { throw CgroupError("signal process \(pid)", error) }
            }
        }
        if targets.isEmpty { return [] }
        let still = Set(try everybody())
        targets.removeAll { !still.contains($0.pid) }
        for target in targets {
            do throws(SystemError) {
                try target.pidfd.signal(number)
            } catch {
                if error.errno != .noProcess { throw CgroupError("signal process \(target.pid)", error) }
            }
        }
        return targets
    }

    /// The processes of every hierarchy: on v1 one may have left some of them.
    private func everybody() throws(CgroupError) -> Set<pid_t> {
        var found: Set<pid_t> = []
        for (_, directory) in directories where File.exists(directory) {
            do throws(SystemError) {
                found.formUnion(try Cgroup.processes(below: directory))
            } catch {
                throw CgroupError("list the processes", error)
            }
        }
        return found
    }
}
