import CRI
import Glibc
import ShimProtocol

extension Engine {
    /// Asks a container's process to end, and kills the container when it hasn't after `timeout` seconds. One that
    /// doesn't run, or is unknown, is success.
    public func stopContainer(
        _ request: CRIStopContainerRequest
    ) async throws(CRIError) -> CRIStopContainerResponse {
        guard let id = try findContainer(request.containerID), let entry = containers[id] else {
            return CRIStopContainerResponse()
        }
        let name = describe(entry.record)
        do {
            if entry.record.stage == .starting {
                // Its start decides first whether there is anything to stop.
                try await entry.turnstile.pass {}
            }
            guard containers[id]?.record.stage == .running else { return CRIStopContainerResponse() }
            let seconds = max(0, min(request.timeout, 10 * 365 * 86400))
            if seconds > 0, let shim = sandboxes[entry.record.sandbox]?.shim {
                try await shim.kill(
                    id.text, exec: nil, signal: entry.record.stopSignal, all: false,
                    deadline: configuration.stepDeadline)
                if await entry.ended.wait(atMost: .seconds(seconds)) { return CRIStopContainerResponse() }
                try Task.checkCancellation()
            }
            try await kill(id)
            return CRIStopContainerResponse()
        } catch {
            throw Failure.translate(error, "\(name): stop")
        }
    }

    /// Kills every process of a container and waits for its end.
    ///
    /// - Throws: `.deadlineExceeded` when it doesn't end: it hangs in the kernel.
    func kill(_ id: ContainerID) async throws {
        guard let entry = containers[id], entry.record.stage == .running || entry.record.stage == .starting else {
            return
        }
        if let shim = sandboxes[entry.record.sandbox]?.shim {
            let own = entry.record.config.linux.securityContext.namespaceOptions.pid == .container
            do {
                // With a pid namespace of its own the first process takes the others along.
                try await shim.kill(
                    id.text, exec: nil, signal: SIGKILL, all: !own, deadline: configuration.stepDeadline)
            } catch {
                try await killFailed(id, error)
            }
        } else {
            await endCgroup(entry.record.cgroupsPath)
            containerLost(id, why: "the pod's shim is gone")
        }
        guard
            await entry.ended.wait(atMost: .seconds(20)) || containers[id]?.record.stage == .exited
        else {
            throw CRIError(
                .deadlineExceeded,
                "\(describe(entry.record)): process \(entry.record.pid) doesn't end 20 s after SIGKILL;"
                    + " it may hang in the kernel (see /proc/\(entry.record.pid)/stack)")
        }
    }

    /// A shim that is gone, or doesn't know the container, can't kill it: its cgroup can.
    private func killFailed(_ id: ContainerID, _ failure: any Error) async throws {
        guard let entry = containers[id], let failure = failure as? ShimFailure,
            failure.code == .disconnected || failure.code == .notFound
        else { throw failure }
        await endCgroup(entry.record.cgroupsPath)
        if failure.code == .notFound { containerLost(id, why: "its shim does not know it") }
    }
}
