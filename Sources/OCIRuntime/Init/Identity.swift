import CLinux
import Glibc
import Linux

/// User, groups, bounding set, working directory.
enum Identity {
    /// Becomes the process's user, keeping what is permitted until ``ExecStage`` cuts it down.
    static func assume(_ process: ProcessPlan) throws(RuntimeError) {
        try giveStandardStreams(to: process.uid)
        try step("process.capabilities.bounding") { () throws(SystemError) in
            try ProcessCapabilities.limitBoundingSet(to: process.capabilities.bounding)
        }
        try step("prctl PR_SET_KEEPCAPS") { () throws(SystemError) in try check(sys_prctl(8, 1, 0, 0, 0), "prctl") }
        try step("process.user.additionalGids") { () throws(SystemError) in
            let result = sys_setgroups(process.groups.count, process.groups)
            // A user namespace with setgroups denied has none to drop.
            if result == -EPERM, process.groups.isEmpty { return }
            try check(result, "setgroups")
        }
        try step("process.user.gid \(process.gid)") { () throws(SystemError) in
            try check(sys_setresgid(process.gid), "setresgid")
        }
        try step("process.user.uid \(process.uid)") { () throws(SystemError) in
            try check(sys_setresuid(process.uid), "setresuid")
        }
        try raiseEffective(process)
        umask(process.umask)
    }

    /// Whoever isn't root has lost the effective set; the working directory and the program are looked for with the program's
    /// own (CAP_DAC_OVERRIDE).
    private static func raiseEffective(_ process: ProcessPlan) throws(RuntimeError) {
        if process.uid == 0 || process.capabilities.effective.isEmpty { return }
        try step("process.capabilities.effective") { () throws(SystemError) in
            var now = try ProcessCapabilities.current()
            now.effective = process.capabilities.effective.intersection(now.permitted)
            try now.apply()
        }
    }

    /// A process must be able to reopen its own standard streams; /dev/null stays everybody's.
    private static func giveStandardStreams(to uid: UInt32) throws(RuntimeError) {
        for number in Int32(0)...2 {
            // A closed one needs no owner.
            guard let status = try? FileStatus(at: number, "", emptyPath: true) else { continue }
            if status.raw.uid == uid { continue }
            if status.isCharacterDevice, status.raw.rdev_major == 1, status.raw.rdev_minor == 3 { continue }
            if fchown(number, uid, gid_t.max) == 0 { continue }
            // Not on every filesystem, and not in a user namespace that doesn't know the owner.
            let reason = Errno.current
            if [.invalid, .perm, .readOnly].contains(reason) { continue }
            throw RuntimeError("give descriptor \(number) to uid \(uid): \(reason)")
        }
    }

    /// chdir, and the proof that where we are lies inside the root (CVE-2024-21626).
    static func enterWorkingDirectory(_ path: String) throws(RuntimeError) {
        try step("process.cwd") { () throws(SystemError) in try checkErrno(chdir(path), "chdir", path) }
        guard let place = getcwd(nil, 0) else {
            throw RuntimeError("process.cwd \(path): the working directory is outside of the container's root")
        }
        defer { free(place) }
        // A directory that the root doesn't reach is shown as "(unreachable)…".
        if place.pointee != CChar(bitPattern: UInt8(ascii: "/")) {
            throw RuntimeError("process.cwd \(path): the working directory is outside of the container's root")
        }
    }
}
