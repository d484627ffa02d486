import Glibc
import Linux
import ShimProtocol

extension ShimServer {
    /// Sends a signal. The shim is the parent, so that a number names that process until the shim itself has reaped it.
    func kill(_ request: KillRequest, _ responder: Responder) throws(ShimFailure) {
        let container = try container(request.container)
        if let name = request.exec {
            guard let exec = container.execs[name] else {
                throw ShimFailure(.notFound, "container \(container.id) has no exec \(name)")
            }
            if exec.exit == nil, exec.pid != 0 { try signal(exec.pid, request.signal) }
            responder.succeed()
            return
        }
        guard container.stage != .creating else {
            throw ShimFailure(.wrongStage, "container \(container.id) is still being created")
        }
        if request.all {
            try runRuntime(
                ["kill", "--all", container.id, String(request.signal)],
                deadlineMilliseconds: request.deadlineMilliseconds
            ) { outcome in
                switch outcome {
                case .succeeded: responder.succeed()
                case .failed(let failure, _):
                    // A runtime may refuse to signal what has stopped; then nothing was left to signal.
                    if container.end != nil { responder.succeed() } else { responder.fail(failure) }
                }
            }
            return
        }
        if container.end == nil { try signal(container.pid, request.signal) }
        responder.succeed()
    }

    private func signal(_ pid: pid_t, _ number: Int32) throws(ShimFailure) {
        guard Glibc.kill(pid, number) == 0 || errno == ESRCH else {
            throw ShimFailure(.system, "signal \(number) to process \(pid): \(Errno.current)")
        }
    }
}
