import CRI
import Glibc
import Linux
import Streaming
import Synchronization

/// Runs the commands as children of the test, with the descriptors that it is given: what the engine does through shims.
final class LocalRuntime: StreamingRuntime {
    struct State {
        var processes: [String: pid_t] = [:]
        var sizes: [(UInt16, UInt16)] = []
        var attached: (stdin: Int32?, stdout: Int32?)?
        /// Whether a container's input outlives that of who is attached.
        var inputOutlives = false
        var connected: [UInt16] = []
        /// Ends of connections that nobody reads.
        var sinks: [Int32] = []
    }

    let state = Mutex(State())

    func startExec(
        _ request: CRIExecRequest, stdin: Int32?, stdout: Int32?, stderr: Int32?
    ) async throws(CRIError) -> (exec: String, terminal: Int32?) {
        guard request.containerID == "c1" else { throw CRIError(.notFound, "no container \(request.containerID)") }
        if request.tty { return try startTerminal(request) }
        return (try spawn(request.cmd, [stdin, stdout, stderr]), nil)
    }

    private func startTerminal(_ request: CRIExecRequest) throws(CRIError) -> (exec: String, terminal: Int32?) {
        let controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        // TIOCSPTLCK and TIOCGPTPEER (ioctl_tty(2)); the macros are too much for Swift.
        guard controller >= 0, ioctl(controller, 0x4004_5431, &unlocked) == 0 else {
            throw CRIError(.internal, "no terminal")
        }
        let side = ioctl(controller, 0x5441, O_RDWR | O_NOCTTY | O_CLOEXEC)
        defer { close(side) }
        return (try spawn(request.cmd, [side, side, side]), controller)
    }

    private func spawn(_ command: [String], _ descriptors: [Int32?]) throws(CRIError) -> String {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let program = ["", "/usr/bin/", "/bin/"].map { $0 + command[0] }.first { access($0, X_OK) == 0 }
        // Not posix_spawn(3): the server's sockets aren't close-on-exec, and one that it closes would live on in the process.
        var request = Spawn(program ?? command[0], command)
        request.descriptors = descriptors.map { $0 ?? null }
        let process: pid_t
        do throws(SystemError) {
            process = try request.start().pid
        } catch {
            throw CRIError(.unknown, "exec \(command[0]): \(error.errno)")
        }
        let exec = "exec-\(process)"
        state.withLock { $0.processes[exec] = process }
        return exec
    }

    func waitExec(_ exec: String, container: String) async throws(CRIError) -> Int32 {
        guard let process = state.withLock({ $0.processes[exec] }) else { throw CRIError(.notFound, "no exec") }
        while true {
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process {
                state.withLock { $0.processes[exec] = nil }
                let signal = status & 0x7f
                return signal == 0 ? (status >> 8) & 0xff : 128 + signal
            }
            do { try await Task.sleep(for: .milliseconds(5)) } catch { throw CRIError(.cancelled, "cancelled") }
        }
    }

    func startAttach(
        _ request: CRIAttachRequest, stdin: Int32?, stdout: Int32?, stderr: Int32?
    ) async throws(CRIError) -> Bool {
        let input = stdin.map { fcntl($0, F_DUPFD_CLOEXEC, 3) }
        let output = stdout.map { fcntl($0, F_DUPFD_CLOEXEC, 3) }
        return state.withLock { state in
            state.attached = (input, output)
            return state.inputOutlives
        }
    }

    func resizeTerminal(container: String, columns: UInt16, rows: UInt16) async throws(CRIError) {
        state.withLock { $0.sizes.append((columns, rows)) }
    }

    /// Port 7 is an echo server: what is written comes back. Port 9 is one that nobody reads.
    func connect(sandbox: String, port: UInt16) async throws(CRIError) -> Int32 {
        guard port == 7 || port == 9 else { throw CRIError(.unavailable, "nothing listens on port \(port)") }
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw CRIError(.internal, "no sockets")
        }
        guard port == 7 else {
            let sink = ends[1]
            state.withLock { $0.sinks.append(sink) }
            return ends[0]
        }
        _ = try spawn(["cat"], [ends[1], ends[1], nil])
        close(ends[1])
        state.withLock { $0.connected.append(port) }
        return ends[0]
    }
}
