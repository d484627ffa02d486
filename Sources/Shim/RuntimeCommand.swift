import CLinux
import Glibc
import Linux
import ShimProtocol

/// One run of the OCI runtime. The loop goes on meanwhile; whoever asked is told at its end.
final class RuntimeCommand {
    /// How it went.
    enum Outcome {
        case succeeded
        /// With the runtime's own words, if it said any.
        case failed(ShimFailure, spoke: Bool)
    }

    let pid: pid_t
    let verb: String
    private let program: String
    /// What the runtime logs, and says to its standard error. In memory, so that a runtime which fails because the disk is
    /// full, or the directory gone, can still say so.
    private let log: Descriptor
    private let loop: EventLoop
    private let deadlineMilliseconds: Int64
    private var deadline: UInt64?
    private var timedOut = false
    private var completion: ((Outcome) -> Void)?

    /// Starts the runtime.
    ///
    /// - Parameters:
    ///   - arguments: beginning with the verb
    ///   - streams: what become its standard streams, which `create` and `exec` hand to the container; nil is `/dev/null`
    ///     for input and output, and for errors the log
    ///   - completion: called once, from the loop
    init(
        options: ShimOptions, loop: EventLoop, arguments: [String], streams: [Int32]? = nil,
        deadlineMilliseconds: Int64, completion: @escaping (Outcome) -> Void
    ) throws(ShimFailure) {
        self.loop = loop
        self.completion = completion
        self.deadlineMilliseconds = deadlineMilliseconds
        verb = arguments.first ?? ""
        program = options.runtime
        do throws(SystemError) {
            log = Descriptor(owning: try check(sys_memfd_create("runtime-log", 1), "memfd_create"))
            // Both the runtime and its standard error add at the end.
            try checkErrno(fcntl(log.raw, F_SETFL, O_APPEND), "fcntl")
            let null = try File.open("/dev/null", O_RDWR)
            var spawn = Spawn(
                options.runtime,
                [
                    options.runtime, "--root", options.runtimeRoot, "--log", "/proc/\(getpid())/fd/\(log.raw)",
                    "--log-format", "json",
                ] + (options.systemdCgroup ? ["--systemd-cgroup"] : []) + arguments,
                environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
            spawn.descriptors = streams ?? [null.raw, null.raw, log.raw]
            // Its own session, so that it and its helpers can be killed together.
            spawn.newSession = true
            pid = try spawn.start().pid
        } catch {
            throw ShimFailure(.runtime, "OCI runtime: \(error)")
        }
        deadline = loop.after(milliseconds: deadlineMilliseconds) { [self] in expire() }
    }

    /// The runtime was reaped.
    func ended(_ status: ExitStatus) {
        if timedOut {
            complete(.failed(late, spoke: true))
        } else if status == .exited(code: 0) {
            complete(.succeeded)
        } else if let message = RuntimeLog.message(said()) {
            complete(.failed(ShimFailure(.runtime, message), spoke: true))
        } else {
            let end =
                switch status {
                case .exited(let code): "ended with code \(code)"
                case .signalled(let signal): "was ended by signal \(signal)"
                }
            complete(.failed(ShimFailure(.runtime, "OCI runtime \(program): \(verb) \(end)"), spoke: false))
        }
    }

    /// Ends it before its time, since nobody waits for it any more.
    func giveUp() {
        guard completion != nil, !timedOut else { return }
        loop.cancel(deadline)
        expire()
    }

    private func expire() {
        timedOut = true
        kill(-pid, SIGKILL)
        // Even one that can't die (state D) must not leave the caller without an answer.
        deadline = loop.after(milliseconds: 2000) { [self] in complete(.failed(late, spoke: true)) }
    }

    private var late: ShimFailure {
        ShimFailure(
            .deadline,
            "OCI runtime \(program): \(verb) did not finish within \(deadlineMilliseconds) ms and was killed")
    }

    private func complete(_ outcome: Outcome) {
        loop.cancel(deadline)
        deadline = nil
        let last = completion
        completion = nil
        last?(outcome)
    }

    /// The end of the log: the runtime decides how much it writes, we decide how much we read.
    private func said() -> [UInt8] {
        let room = 16 << 10
        let size = Int((try? log.status().size) ?? 0)
        return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            count = max(0, pread(log.raw, buffer.baseAddress, room, off_t(max(0, size - room))))
        }
    }
}
