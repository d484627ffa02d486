import CLinux
import Linux

/// What a process that has entered the container may still have open.
enum ContainerDescriptors {
    /// Closes what the caller had open and what was needed on the way.
    ///
    /// Close-on-exec comes too late: execve(2) closes when it has found the program, so a program that is called
    /// `/proc/self/fd/7/bin/sh`, or a link to that in the image, would be the host's, and the container could write it
    /// (CVE-2024-21626).
    ///
    /// - Parameters:
    ///   - preserving: how many after the standard three belong to the program.
    ///   - kept: no folders of the host's; all are close-on-exec.
    static func closeOthers(preserving: Int, but kept: [Int32]) throws(RuntimeError) {
        try step("close descriptors") { () throws(SystemError) in
            var first = UInt32(3 + preserving)
            for number in kept.map({ UInt32($0) }).sorted() where number >= first {
                if number > first { try check(sys_close_range(first, number - 1, 0), "close_range") }
                first = number + 1
            }
            try check(sys_close_range(first, .max, 0), "close_range")
        }
    }
}
