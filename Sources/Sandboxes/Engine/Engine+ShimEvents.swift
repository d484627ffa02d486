import CRI
import Cgroups
import Logging
import ShimClient
import ShimProtocol

extension Engine {
    /// Takes a shim's connection over for a sandbox and listens to it.
    func adopt(_ shim: any PodShim, for id: SandboxID) {
        sandboxes[id]?.shim = shim
        sandboxes[id]?.connection += 1
        let (stream, connection) = (shim.events, sandboxes[id]?.connection ?? 0)
        Task {
            for await event in stream { await self.hear(event, from: id, connection) }
        }
    }

    private func hear(_ event: ShimEvent, from id: SandboxID, _ connection: UInt64) async {
        switch event {
        case .exited(let name, nil, let exit):
            if name == id.text {
                pauseEnded(id)
            } else if let container = ContainerID(name) {
                heardEnd(of: container, exit)
            }
        case .outputLost(let name, let reason):
            let container = ContainerID(name).flatMap { containers[$0]?.record }
            logger.warning(
                "a container's output is being lost; it runs on",
                metadata: ["container": "\(container.map { describe($0) } ?? name)", "reason": "\(reason)"])
        case .exited, .oom: break
        case .disconnected: await shimDisconnected(id, connection)
        }
    }

    /// An end may be that of an earlier start's process, which was taken back.
    private func heardEnd(of id: ContainerID, _ exit: ExitRecord) {
        guard let entry = containers[id], !entry.isTakenBack else { return }
        if entry.record.stage == .starting, entry.record.pid == 0 {
            containers[id]?.earlyEnd = exit
        } else if entry.record.pid == 0 || entry.record.pid == exit.pid {
            containerEnded(id, exit)
        }
    }

    /// The pod's own process has ended: the sandbox is not ready any more. What is left of it goes with StopPodSandbox.
    func pauseEnded(_ id: SandboxID) {
        guard let entry = sandboxes[id] else { return }
        entry.ended.open()
        guard entry.record.stage == .ready, !entry.dismantling else { return }
        note(id) { $0.stage = .stopped }
        logger.warning("a sandbox's process has ended by itself", metadata: ["pod": "\(podName(id))"])
        announce(sandbox: id, .containerStoppedEvent)
    }

    /// A container's first process has ended.
    func containerEnded(_ id: ContainerID, _ exit: ExitRecord) {
        guard let entry = containers[id], entry.record.stage == .starting || entry.record.stage == .running else {
            return
        }
        note(id) { record in
            record.stage = .exited
            record.exitCode = exit.exitCode
            record.finishedAtNanoseconds = exit.finishedAtNanoseconds
            if record.startedAtNanoseconds == 0 {
                record.startedAtNanoseconds = min(exit.finishedAtNanoseconds, wallClockNanoseconds())
            }
            record.reason = exit.oomKilled ? "OOMKilled" : exit.exitCode == 0 ? "Completed" : "Error"
        }
        entry.ended.open()
        tellEnd(id)
    }

    /// A container's end that nobody saw: its shim is gone, or the machine was started anew.
    func containerLost(_ id: ContainerID, why: String) {
        guard let entry = containers[id], entry.record.stage == .starting || entry.record.stage == .running else {
            return
        }
        note(id) { record in
            record.stage = .exited
            record.exitCode = 255
            record.finishedAtNanoseconds = wallClockNanoseconds()
            record.reason = "Unknown"
            record.message = why
        }
        entry.ended.open()
        tellEnd(id)
    }

    /// Tells of a container's end, and never before its start is told.
    func tellEnd(_ id: ContainerID) {
        guard let entry = containers[id], entry.record.stage == .exited, !entry.isStarting else { return }
        announce(container: id, .containerStoppedEvent)
        hookStopped(id)
    }

    /// The connection to a shim broke. A shim that still answers is listened to again; a dead one takes its pod along,
    /// because nobody keeps its processes' output and exit codes any more.
    private func shimDisconnected(_ id: SandboxID, _ connection: UInt64) async {
        guard !closed, let entry = sandboxes[id], !entry.dismantling, entry.shim != nil,
            entry.connection == connection
        else { return }
        sandboxes[id]?.shim = nil
        do {
            try await entry.turnstile.pass {
                guard !closed, let entry = sandboxes[id], !entry.dismantling, entry.shim == nil else { return }
                do {
                    try await reconnect(id)
                } catch {
                    logger.error(
                        "a pod's shim has died: its processes are ended",
                        metadata: ["pod": "\(podName(id))", "reason": "\(error)"])
                    // One that runs and can't be talked to is of no more use than a dead one.
                    await StrayShims.end(id, below: places.state + "/sandboxes")
                    await endAbandoned(id, why: "the pod's shim died")
                }
            }
        } catch {
            // Only cancellation ends the wait at the turnstile, and nothing cancels this task.
        }
    }

    /// Returns when it is settled whether a shim that could not be talked to lives. Never from within a container's turnstile:
    /// a sandbox's end waits there.
    func settleShim(of id: SandboxID, _ connection: UInt64) async {
        await Task {
            if await tryWith(shimOf: id, { shim throws(ShimFailure) in _ = try await shim.info() }) { return }
            await shimDisconnected(id, connection)
            // Or whoever has noticed it first.
            try? await sandboxes[id]?.turnstile.pass {}
        }.value
    }

    /// Connects to a shim that runs and brings the tables up to what it knows.
    ///
    /// - Throws: when there is no shim to connect to.
    func reconnect(_ id: SandboxID) async throws {
        let shim = try await shims.connect(directory: places.shim(id))
        let info = try await shim.info()
        adopt(shim, for: id)
        let pause = info[container: id.text]
        if pause?.stage != .running { pauseEnded(id) }
        for entry in containers(of: id) {
            let container = entry.record.id
            guard entry.record.stage == .starting || entry.record.stage == .running else { continue }
            guard let found = info[container: container.text] else {
                // A start that the shim has not heard of is settled by whoever looks after it.
                if entry.record.stage == .starting { continue }
                containerLost(container, why: "the pod's shim does not know the container any more")
                continue
            }
            if let exit = found.exit {
                containerEnded(container, exit)
            } else if found.stage == .running {
                note(container) { record in
                    record.stage = .running
                    record.pid = found.pid
                    record.startedAtNanoseconds = found.startedAtNanoseconds
                }
            }
        }
    }

    /// Ends what is left of a pod whose shim is dead, by its cgroups, and notes it.
    func endAbandoned(_ id: SandboxID, why: String) async {
        guard let entry = sandboxes[id] else { return }
        let records = containers(of: id).map(\.record)
        var paths = records.map(\.cgroupsPath)
        if let pause = try? places.cgroup(parent: entry.record.config.linux.cgroupParent, id: id.text) {
            paths.append(pause)  // A path that was refused was never made.
        }
        for path in paths { await endCgroup(path) }
        for record in records { containerLost(record.id, why: why) }
        pauseEnded(id)
    }

    /// Kills every process of a cgroup and removes it; one that isn't there is success.
    func endCgroup(_ path: String) async {
        do {
            let host = cgroups
            try await Blocking.run { try CgroupEnd.killAndRemove(path, host: host) }
        } catch {
            logger.error("a cgroup can't be emptied", metadata: ["cgroup": "\(path)", "reason": "\(error)"])
        }
    }
}
