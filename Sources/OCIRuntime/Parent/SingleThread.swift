import CLinux
import Linux

/// The clone copies one thread: with others alive, locks that they hold would stay held for ever in the child.
enum SingleThread {
    /// - Throws: when this process has more than one thread.
    static func require() throws(RuntimeError) {
        // Each thread is a folder, and each folder a link.
        let status = try step("count threads") { () throws(SystemError) in try FileStatus(at: -100, "/proc/self/task") }
        if status.raw.links != 3 {
            throw RuntimeError("internal error: \(status.raw.links - 2) threads before the clone")
        }
    }
}
