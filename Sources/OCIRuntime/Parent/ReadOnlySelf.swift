import CLinux
import Linux

/// The runtime's own program file.
enum ReadOnlySelf {
    /// A container whose program is `/proc/self/exe` runs *this* file, and could then write it through `/proc/PID/exe`
    /// (CVE-2019-5736): the commands that enter containers run from a read-only mount of it. Comes back at once in the program
    /// that was started that way.
    static func require() throws(RuntimeError) {
        try step("run from a read-only copy of this program") { () throws(SystemError) in
            try check(sys_run_from_readonly(CommandLine.unsafeArgv), "execveat")
        }
    }
}
