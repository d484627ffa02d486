import CLinux
import Glibc
import Linux

/// The cloned init, as its parent holds it.
final class InitProcess {
    let pid: pid_t
    let pidfd: Pidfd
    let channel: Channel
    private let end: Descriptor

    init(pid: pid_t, pidfd: consuming Pidfd, end: consuming Descriptor) {
        self.pid = pid
        self.pidfd = pidfd
        channel = Channel(number: end.raw)
        self.end = end
    }

    /// Puts it to death and reaps it; with it goes every process of its pid namespace.
    func destroy() {
        try? pidfd.signal(SIGKILL)  // it may be gone already
        _ = try? pidfd.wait()
    }

    /// The next message from the init; its failure is thrown, its death too.
    func expect(_ message: Channel.Message) throws(RuntimeError) {
        let got = try next()
        if got.message != message { throw RuntimeError("internal error: message \(got.message) instead of \(message)") }
    }

    /// Waits until all is mounted; meanwhile the ids of what the init found inside the root are mapped for it.
    func expectMounts(_ plan: LaunchPlan, _ sources: borrowing BindSources) throws(RuntimeError) {
        while true {
            var passenger: Int32 = -1
            let got = try next(passenger: &passenger)
            if got.message == .mounted { return }
            guard got.message == .mapIDs, passenger >= 0 else {
                throw RuntimeError("internal error: message \(got.message) instead of mounted")
            }
            let tree = MountTree(Descriptor(owning: passenger))
            try sources.mapIDs(of: tree, mount: Int(String(decoding: got.body, as: UTF8.self)), plan)
            try channel.tell(.go)
        }
    }

    private func next(
        passenger: UnsafeMutablePointer<Int32>? = nil
    ) throws(RuntimeError) -> (message: Channel.Message, body: [UInt8]) {
        let got = try step("wait for the init") { () throws(SystemError) in try channel.receive(passenger: passenger) }
        guard let got else { throw RuntimeError("the container's init ended too early: \(ending())") }
        if got.message == .failed { throw RuntimeError(String(decoding: got.body, as: UTF8.self)) }
        return got
    }

    /// After the last go: nothing more comes when execve worked, since the channel closes with it.
    /// - Parameter listener: who gets the filter's notify descriptor.
    func expectExecution(_ listener: SeccompListener?) throws(RuntimeError) {
        try channel.expectExecution(listener, pidfd)
    }

    private func ending() -> String {
        switch try? pidfd.wait() {
        case .exited(let code): "exit code \(code)"
        case .signalled(SIGKILL): "killed (out of the container's memory limit?)"
        case .signalled(let signal): "signal \(signal)"
        default: "unknown reason"
        }
    }
}

extension Channel {
    /// Waits until the process on the other end has become its program.
    func expectExecution(_ listener: SeccompListener?, _ process: borrowing Pidfd) throws(RuntimeError) {
        while true {
            var passenger: Int32 = -1
            let got = try step("wait for the init") { () throws(SystemError) in
                do throws(SystemError) {
                    return try receive(passenger: &passenger)
                } catch {
                    // The init ended instead of becoming anything.
                    if error.errno == .connectionReset {
                        return (Message.failed, Array("the container's init was killed".utf8))
                    }
                    throw error
                }
            }
            // Closed without a word: execve has worked, or the init was killed, which the exit code tells.
            guard let got else { return }
            guard got.message == .filter, passenger >= 0, let listener else {
                throw RuntimeError(String(decoding: got.body, as: UTF8.self), isExecution: got.message == .refused)
            }
            try listener.serve(Descriptor(owning: passenger), self, process)
        }
    }
}
