import CLinux
import Glibc
import Linux

extension Cgroup {
    /// Stops every process in the cgroup and below it, and returns when all have stopped.
    ///
    /// - Throws: `CgroupError` if they don't within the time; they run on then.
    public func freeze(withinMilliseconds limit: Int = 10_000) throws(CgroupError) {
        do throws(CgroupError) {
            if let file = frozenFileV2 {
                try write(file, "1", "freeze")
                try waitForEvent("frozen 1", withinMilliseconds: limit, "freeze")
            } else {
                try freezeV1(withinMilliseconds: limit)
            }
        } catch {
            // The failure counts, not that of letting them run.
            try? thaw()
            throw error
        }
    }

    /// Lets the processes of a frozen cgroup run on; one that isn't frozen is left as it is.
    public func thaw() throws(CgroupError) {
        if let file = frozenFileV2 { try write(file, "0", "thaw") }
        // On a hybrid host another runtime may have frozen it by version 1.
        if let directory = directory("freezer"), File.exists(directory) {
            try write(directory + "/freezer.state", "THAWED", "thaw")
        }
    }

    /// Whether it is frozen, or is about to be.
    public var isFrozen: Bool {
        if let file = frozenFileV2, (try? File.readText(file))?.hasPrefix("1") == true { return true }
        guard let state = text("freezer", "freezer.state"), directory("freezer") != nil else { return false }
        return !state.hasPrefix("THAWED")
    }

    /// `cgroup.freeze`, which needs no controller (Linux 5.2), if this kernel has it.
    private var frozenFileV2: String? {
        guard let file = unifiedDirectory.map({ $0 + "/cgroup.freeze" }), File.exists(file) else { return nil }
        return file
    }

    /// v1 has no event, and a process that forks at the wrong moment needs to be told again.
    private func freezeV1(withinMilliseconds limit: Int) throws(CgroupError) {
        guard let directory = directory("freezer") else {
            throw CgroupError("freeze", hint: "this host has no freezer controller")
        }
        let file = directory + "/freezer.state"
        let deadline = monotonicMilliseconds() + limit
        var pause: UInt32 = 10
        while true {
            try write(file, "FROZEN", "freeze")
            if text("freezer", "freezer.state")?.hasPrefix("FROZEN") == true { return }
            if monotonicMilliseconds() > deadline {
                throw CgroupError("freeze", path: file, errno: .timedOut, hint: "a process can't be stopped")
            }
            usleep(pause)
            pause = min(pause * 2, 10_000)
        }
    }

    func write(_ file: String, _ value: String, _ step: String) throws(CgroupError) {
        do throws(SystemError) {
            try File.writeExisting(file, value)
        } catch {
            throw CgroupError(step, error)
        }
    }

    /// v2: waits until `cgroup.events` has a line; the kernel wakes its readers at every change.
    func waitForEvent(_ line: String, withinMilliseconds limit: Int, _ step: String) throws(CgroupError) {
        guard let path = unifiedDirectory.map({ $0 + "/cgroup.events" }) else { return }
        let deadline = monotonicMilliseconds() + limit
        do throws(SystemError) {
            let file = try File.open(path)
            while true {
                try checkErrno(lseek(file.raw, 0, SEEK_SET), "lseek", path)
                let events = String(decoding: try file.readAll(limit: 4096), as: UTF8.self)
                if events.split(separator: "\n").contains(Substring(line)) { return }
                let left = deadline - monotonicMilliseconds()
                if left <= 0 { throw SystemError("poll", path: path, errno: .timedOut) }
                try check(sys_poll(file.raw, Int16(POLLPRI), Int32(clamping: left)), "poll", path)
            }
        } catch {
            throw CgroupError(step, error)
        }
    }
}

/// Milliseconds of CLOCK_MONOTONIC.
func monotonicMilliseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}
