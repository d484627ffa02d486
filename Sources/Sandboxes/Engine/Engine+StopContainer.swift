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
            if seconds > 0 {
                let (signal, deadline) = (entry.record.stopSignal, configuration.stepDeadline)
                let asked = try await ask(shimOf: entry.record.sandbox) { shim throws(ShimFailure) in
                    try await shim.kill(id.text, exec: nil, signal: signal, all: false, deadline: deadline)
                }
                try await reached(.stopAsked)
                if asked, await entry.ended.wait(atMost: .seconds(seconds)) {
                    await hookStoppedTold(id)
                    return CRIStopContainerResponse()
                }
                // The grace that was given counts, not the caller's patience: who asks again begins anew.
                try Task.checkCancellation()
            }
            try await ending("kill \(id)", lane: entry.record.sandbox) { try await self.kill(id) }
            await hookStoppedTold(id)
            try await reached(.processKilled)
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
        // With a pid namespace of its own the first process takes the others along.
        let all = entry.record.config.linux.securityContext.namespaceOptions.pid != .container
        let deadline = configuration.stepDeadline
        let done = await tryWith(shimOf: entry.record.sandbox) { shim throws(ShimFailure) in
            try await shim.kill(id.text, exec: nil, signal: SIGKILL, all: all, deadline: deadline)
        }
        if !done { await killWithoutShim(entry.record) }
        guard
            await entry.ended.wait(atMost: .seconds(20)) || containers[id]?.record.stage == .exited
        else {
            throw CRIError(
                .deadlineExceeded,
                "\(describe(entry.record)): process \(entry.record.pid) doesn't end 20 s after SIGKILL;"
                    + " it may hang in the kernel (see /proc/\(entry.record.pid)/stack)")
        }
    }

    /// What no shim can kill its cgroup can. A shim that has written down how the container ended is believed.
    private func killWithoutShim(_ record: ContainerRecord) async {
        await endCgroup(record.cgroupsPath)
        await readExitRecords(of: record.sandbox)
        containerLost(record.id, why: "the pod's shim could not end it")
    }
}
