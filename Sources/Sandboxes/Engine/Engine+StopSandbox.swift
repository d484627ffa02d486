import CRI
import Linux
import Logging
import PodNetwork
import ShimClient
import ShimProtocol

extension Engine {
    /// Ends a sandbox: its containers are killed, its network is given back, its processes are gone. Its record, its
    /// containers' records and logs remain. One that is unknown or stopped already is success.
    public func stopPodSandbox(
        _ request: CRIStopPodSandboxRequest
    ) async throws(CRIError) -> CRIStopPodSandboxResponse {
        guard let id = try findSandbox(request.podSandboxID), let entry = sandboxes[id] else {
            return CRIStopPodSandboxResponse()
        }
        let pod = podName(id)
        do {
            try await ending("stop \(id)", lane: id) {
                try await entry.turnstile.pass { try await self.dismantle(id) }
            }
        } catch {
            throw Failure.translate(error, "pod \(pod): stop")
        }
        return CRIStopPodSandboxResponse()
    }

    /// Takes apart what a sandbox has on this host but for its records: every step is tried, the first failure is told.
    func dismantle(_ id: SandboxID) async throws {
        guard let entry = sandboxes[id] else { return }
        let wasReady = entry.record.stage == .ready
        sandboxes[id]?.dismantling = true
        defer { sandboxes[id]?.dismantling = false }
        if wasReady { note(id) { $0.stage = .stopped } }
        var failures = FirstFailure()

        // A shim that hangs is found out before anything waits for it for longer.
        _ = await tryWith(shimOf: id) { shim throws(ShimFailure) in _ = try await shim.info() }
        await failures.collect { try await self.killContainers(of: id) }
        await failures.collect { try await self.reached(.containersKilled) }
        await hookStopped(id)
        // The plugins, and the kernel below them, take longer than all the rest: that goes on beside them.
        let network = Task { try await self.detachNetwork(of: id) }
        await failures.collect { try await self.endPause(id) }
        await failures.collect { try await self.reached(.pauseEnded) }
        await endShim(id)
        await failures.collect { try await self.reached(.shimEnded) }
        await failures.collect { try await network.value }
        await failures.collect { try await self.reached(.networkDetached) }
        if let netns = entry.record.netns {
            await failures.collect { try await Blocking.run { try removeNetworkNamespace(netns) } }
        }
        let userNamespace = places.userNamespace(id)
        await failures.collect { try await Blocking.run { try removeNetworkNamespace(userNamespace) } }
        let shm = places.files(id).shm
        await failures.collect { try await Blocking.run { try Linux.Mount.unmount(shm, detach: true) } }
        if wasReady { announce(sandbox: id, .containerStoppedEvent) }
        await failures.collect { try await self.reached(.sandboxDismantled) }
        try failures.rethrow()
    }

    /// Kills the containers of a sandbox at once and waits for their ends.
    private func killContainers(of id: SandboxID) async throws {
        let running = containers(of: id).filter { $0.record.stage == .running || $0.record.stage == .starting }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for entry in running {
                group.addTask {
                    // A start that is under way decides first whether there is anything to kill.
                    try await entry.turnstile.pass {}
                    try await self.kill(entry.record.id)
                }
            }
            var failures = FirstFailure()
            while let result = await group.nextResult() {
                await failures.collect { try result.get() }
            }
            try failures.rethrow()
        }
    }

    private func detachNetwork(of id: SandboxID) async throws {
        guard sandboxes[id]?.record.networkAttached == true else { return }
        do {
            try await network.detach(
                sandbox: id.text, otherwise: sandboxes[id].flatMap { Self.attachment(of: $0.record) })
        } catch {
            // A sandbox that never came to be keeps nobody from the next attempt; its remains wait for the next start.
            guard sandboxes[id]?.record.stage == .making else { throw error }
            logger.warning(
                "a half-made sandbox's network can't be taken away; the next start tries again",
                metadata: ["pod": "\(podName(id))", "reason": "\(error)"])
        }
        note(id) { record in
            record.networkAttached = false
        }
    }

    /// The attachment as it must have been asked for; nil if its config is not what was attached.
    private static func attachment(of record: SandboxRecord) -> Attachment? {
        try? NetworkWish.attachment(id: record.id, config: record.config, netns: record.netns ?? "")
    }

    /// Kills the pause process, which takes a shared pid namespace with it.
    private func endPause(_ id: SandboxID) async throws {
        guard let entry = sandboxes[id] else { return }
        let done = await tryWith(shimOf: id) { shim throws(ShimFailure) in
            try await shim.delete(id.text, force: true, deadline: self.configuration.stepDeadline)
        }
        let path = try places.cgroup(parent: entry.record.config.linux.cgroupParent, id: id.text)
        let runtime = RuntimeCommand(
            path: try runtime(handler: entry.record.runtimeHandler, for: podName(id)), root: places.runtimeRoot)
        let host = cgroups
        try await Blocking.run {
            // Without a shim the cgroup is the way that is left; with one, a runtime that had lost its state left it.
            try CgroupEnd.killAndRemove(path, host: host)
            if !done { try runtime.delete(id.text) }
        }
        sandboxes[id]?.ended.open()
    }

    /// Lets the shim go once nothing is left for it to do. How its containers ended is in our records by now.
    private func endShim(_ id: SandboxID) async {
        let done = await tryWith(shimOf: id) { shim throws(ShimFailure) in
            // Also those that we have lost the record of.
            for container in try await shim.info().containers {
                try await shim.delete(container.id, force: true, deadline: self.configuration.stepDeadline)
            }
            try await shim.shutdown()
        }
        if !done { await StrayShims.end(id, below: places.state + "/sandboxes") }
        await sandboxes[id]?.shim?.disconnect()
        sandboxes[id]?.shim = nil
    }
}

/// Goes through steps that are all to be tried, and remembers why the first one failed.
struct FirstFailure {
    private var failure: (any Error)?

    mutating func collect(
        isolation: isolated (any Actor)? = #isolation, _ step: () async throws -> Void
    ) async {
        do { try await step() } catch { failure = failure ?? error }
    }

    func rethrow() throws {
        if let failure { throw failure }
    }
}
