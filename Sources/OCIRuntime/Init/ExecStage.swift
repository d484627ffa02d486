import CLinux
import Glibc
import Linux

/// The last steps before the program, and the program.
enum ExecStage {
    /// Finds the program in the container, with the process's own rights.
    static func find(_ process: ProcessPlan) throws(RuntimeError) -> String {
        guard let name = process.arguments.first else {
            throw RuntimeError("config.json has no process: there is nothing to start")
        }
        if name.utf8.contains(UInt8(ascii: "/")) {
            try probe(name)
            return name
        }
        if name.isEmpty { throw RuntimeError("exec: \"\": executable file not found in $PATH") }
        var denied = false
        for folder in searchPath(process.environment).split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
            do throws(RuntimeError) {
                try probe(candidate)
                return candidate
            } catch {
                if error.description.hasSuffix(": permission denied") { denied = true }
            }
        }
        throw RuntimeError(
            denied ? "exec: \"\(name)\": permission denied" : "exec: \"\(name)\": executable file not found in $PATH")
    }

    /// Go's words, which engines look for.
    private static func probe(_ path: String) throws(RuntimeError) {
        let status: FileStatus
        do throws(SystemError) {
            status = try FileStatus(at: AT_FDCWD, path)
        } catch {
            if error.errno == .access { throw RuntimeError("exec: \"\(path)\": permission denied") }
            throw RuntimeError("exec: \"\(path)\": stat \(path): \(error.errno.description.lowercased())")
        }
        if status.isDirectory { throw RuntimeError("exec: \"\(path)\": is a directory") }
        // As the effective user, as execve will look at it.
        if !status.isRegular || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0 {
            throw RuntimeError("exec: \"\(path)\": permission denied")
        }
    }

    private static func searchPath(_ environment: [String]) -> String {
        for entry in environment.reversed() where entry.hasPrefix("PATH=") { return String(entry.dropFirst(5)) }
        return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    }

    /// Seccomp, capabilities, what must come last, execve.
    ///
    /// - Parameter last: runs under the filter and with the program's capabilities (startContainer hooks: their programs are
    ///   files of the container's).
    static func become(
        _ process: ProcessPlan, seccomp: SeccompLoad?, preserving: Int, last: () throws(RuntimeError) -> Void = {}
    ) throws(RuntimeError) -> Never {
        let program = try find(process)
        let argv = CStrings(process.arguments)
        let envp = CStrings(try Environment.complete(process))
        let final = process.capabilities
        try step("close descriptors") { () throws(SystemError) in
            try check(sys_close_range(UInt32(3 + preserving), .max, 4), "close_range")
        }
        if process.noNewPrivileges {
            try step("process.noNewPrivileges") { () throws(SystemError) in
                try check(sys_prctl(38, 1, 0, 0, 0), "prctl")
            }
        } else if let seccomp {
            // Without no_new_privs only CAP_SYS_ADMIN may load a filter, so it goes first; setresuid took it away.
            try step("keep CAP_SYS_ADMIN for seccomp") { () throws(SystemError) in
                var now = try ProcessCapabilities.current()
                now.effective = now.permitted
                try now.apply()
            }
            try seccomp.load()
        }
        try step("process.capabilities") { () throws(SystemError) in
            try ProcessCapabilities(
                effective: final.effective, permitted: final.permitted, inheritable: final.inheritable
            ).apply()
            // Without anything inheritable the kernel has emptied the ambient set by itself.
            if !final.inheritable.isEmpty || !final.ambient.isEmpty {
                try ProcessCapabilities.setAmbient(final.ambient)
            }
        }
        if process.noNewPrivileges { try seccomp?.load() }
        try last()
        let result = sys_execve(program, argv.argument, envp.argument)
        throw RuntimeError("exec \(program): \(Errno(rawValue: -result).description.lowercased())", isExecution: true)
    }
}
