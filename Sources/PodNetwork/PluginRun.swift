import CLinux
import Glibc
import Linux

/// What a plugin's program left when it ended.
struct PluginRun: Sendable {
    var status: ExitStatus
    /// Standard output and standard error.
    var output: [UInt8]
    var errors: [UInt8]

    /// Why a program gave no outcome.
    enum Failure: Error, Sendable {
        case system(SystemError)
        /// It was killed, with all that it started.
        case deadline
        /// It was killed since it wrote more than `outputLimit`.
        case tooMuchOutput
        /// It was killed since nobody waits for it any more, or the node ends.
        case stopped
    }

    /// What a plugin may write to each stream.
    static let outputLimit = 1 << 20

    /// Runs a program to its end on this thread: bounded in time and in output.
    ///
    /// It runs in a session of its own, so that a kill reaches its children (plugins run iptables and each other). The
    /// kernel's word ends the wait, by pidfd; there is no polling. Input is a memory file, so a program that doesn't read
    /// blocks nobody.
    static func perform(
        _ path: String, _ arguments: [String], environment: [String], input: [UInt8], deadlineMilliseconds: Int,
        stop: PluginStop
    ) throws(Failure) -> PluginRun {
        do {
            return try run(path, arguments, environment, input, deadlineMilliseconds, stop)
        } catch let error as SystemError {
            throw .system(error)
        } catch let error as Failure {
            throw error
        } catch {
            throw .system(SystemError("run", path: path, errno: .io))
        }
    }

    private static func run(
        _ path: String, _ arguments: [String], _ environment: [String], _ input: [UInt8], _ deadlineMilliseconds: Int,
        _ stop: PluginStop
    ) throws -> PluginRun {
        let stdin = Descriptor(owning: try check(sys_memfd_create("cni", 0), "memfd_create"))
        try stdin.writeAll(input)
        try checkErrno(lseek(stdin.raw, 0, SEEK_SET), "lseek")
        var outputPipe = try Pipe()
        var errorPipe = try Pipe()
        let outputEnd = Descriptor(owning: outputPipe.takeReading())
        let errorEnd = Descriptor(owning: errorPipe.takeReading())
        try outputEnd.setNonBlocking(true)
        try errorEnd.setNonBlocking(true)
        var spawn = Spawn(path, arguments, environment: environment)
        spawn.descriptors = [stdin.raw, outputPipe.writing, errorPipe.writing]
        spawn.newSession = true
        let child = try spawn.start()
        // Only the child holds the writing ends now.
        close(outputPipe.takeWriting())
        close(errorPipe.takeWriting())
        var output = Stream(descriptor: outputEnd.raw)
        var errors = Stream(descriptor: errorEnd.raw)
        do {
            try follow(child.pidfd.descriptor.raw, &output, &errors, deadlineMilliseconds, stop)
        } catch {
            // The group's number can't be reused before the leader is reaped.
            kill(-child.pid, SIGKILL)
            kill(child.pid, SIGKILL)
            _ = try? child.pidfd.wait()
            throw error
        }
        // What was written before the end is in the pipes; who still holds them open (a daemon) isn't waited for.
        try output.drain()
        try errors.drain()
        guard let status = try child.pidfd.wait() else { throw SystemError("waitid", path: path, errno: .noChild) }
        return PluginRun(status: status, output: output.bytes, errors: errors.bytes)
    }

    /// Reads both streams until the process ends.
    private static func follow(
        _ process: Int32, _ output: inout Stream, _ errors: inout Stream, _ deadlineMilliseconds: Int,
        _ stop: PluginStop
    ) throws {
        let deadline = ContinuousClock.now + .milliseconds(deadlineMilliseconds)
        while true {
            let left = (deadline - .now) / .milliseconds(1)
            if left <= 0 { throw Failure.deadline }
            var polled = [
                pollfd(fd: process, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output.ended ? -1 : output.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors.ended ? -1 : errors.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop.event.descriptor.raw, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&polled, nfds_t(polled.count), Int32(clamping: Int(left.rounded(.up))))
            if count < 0 {
                let reason = Errno.current
                if reason == .interrupted { continue }
                throw SystemError("poll", errno: reason)
            }
            if polled[1].revents != 0 { try output.drain() }
            if polled[2].revents != 0 { try errors.drain() }
            if polled[0].revents != 0 { return }
            if polled[3].revents != 0 { throw Failure.stopped }
        }
    }

    private struct Stream {
        let descriptor: Int32
        var bytes: [UInt8] = []
        var ended = false

        /// Takes what is there now.
        mutating func drain() throws {
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            while !ended {
                let count = read(descriptor, &buffer, buffer.count)
                if count > 0 {
                    bytes += buffer[..<count]
                    if bytes.count > PluginRun.outputLimit { throw Failure.tooMuchOutput }
                } else if count == 0 {
                    ended = true
                } else {
                    let reason = Errno.current
                    if reason == .again { return }
                    if reason != .interrupted { throw SystemError("read", errno: reason) }
                }
            }
        }
    }
}
