import CRI
import Images
import JSON
import Linux
import Logging
import PodNetwork
import ShimClient
import ShimProtocol

extension Engine {
    /// Looks at what an earlier engine left, adopts what lives and notes what ended meanwhile. To be called once, before
    /// anything else.
    ///
    /// Live shims are connected to again, so that running containers keep their processes; ends that nobody saw are read
    /// from the shims' exit records; a pod whose shim is dead is ended. What was half made, and what has no record, is taken
    /// away after this has returned: a plugin that hangs there keeps nobody waiting (``clearedUp()``).
    ///
    /// What was not as it should be is told, one line each (``Recovery``).
    /// - Throws: when the records can't be read at all.
    public func recover() async throws(CRIError) {
        recovery.startedAtNanoseconds = wallClockNanoseconds()
        let (store, logger) = (store, logger)
        await network.endStrays()
        let contents: RecordContents
        do {
            contents = try await Blocking.run { try store.readAll(logger: logger) }
        } catch {
            throw Failure.translate(error, "start of the engine")
        }
        if let damage = store.damage { repaired("all", "put the state database aside", why: damage) }
        for record in contents.unreadable {
            let container = record.kind == "container"
            repaired(
                container ? "?" : String(record.id.prefix(12)),
                container: container ? String(record.id.prefix(12)) : nil,
                "put its record aside", why: record.reason)
        }
        for record in contents.sandboxes {
            sandboxes[record.id] = SandboxEntry(record)
            sandboxKeys[record.key] = record.id
        }
        for record in contents.containers {
            containers[record.id] = ContainerEntry(record)
            containerKeys[record.key] = record.id
            if record.stage == .exited { containers[record.id]?.ended.open() }
        }
        await withTaskGroup(of: Void.self) { group in
            for record in contents.sandboxes {
                group.addTask { await self.adopt(record) }
            }
        }
        let lost = await findLost(contents)
        let kept = Set(sandboxes.values.filter(\.record.networkAttached).map(\.record.id.text))
        let forgotten = await network.forgotten(keep: kept.union(lost.sandboxes.map(\.text)))
        recovery.sandboxes = sandboxes.count
        recovery.containers = containers.count
        recovery.running = containers.values.filter { $0.record.stage == .running }.count
        logger.info(
            "engine recovered",
            metadata: [
                "sandboxes": "\(recovery.sandboxes)", "containers": "\(recovery.containers)",
                "running": "\(recovery.running)", "repairs": "\(recovery.count)",
            ])
        clearing = Task {
            await withTaskGroup(of: Void.self) { group in
                for record in contents.sandboxes { group.addTask { await self.clearUp(record) } }
                group.addTask { await self.clear(lost) }
                group.addTask { await self.takeOff(forgotten) }
                group.addTask { await self.checkNetworks(contents.sandboxes.map(\.id)) }
            }
            recovery.finishedAtNanoseconds = wallClockNanoseconds()
            guard recovery.count > 0 else { return }
            logger.notice("what an earlier node left was put right", metadata: ["repairs": "\(recovery.count)"])
        }
    }

    /// Notes something that the start has put right.
    func repaired(_ pod: String, container: String? = nil, _ what: String, why: String) {
        recovery.add(Recovery.Repair(pod: pod, container: container, what: what, why: why))
        var metadata: Logger.Metadata = ["pod": "\(pod)", "what": "\(what)", "why": "\(why)"]
        if let container { metadata["container"] = "\(container)" }
        logger.notice("repaired", metadata: metadata)
    }

    /// The same for a container with a record.
    private func repaired(_ record: ContainerRecord, _ what: String, why: String) {
        repaired(podName(record.sandbox), container: record.config.metadata.name, what, why: why)
    }

    /// Has the network's plugins look at the pods that were adopted, one by one. What they find is told, no more: a network
    /// that is itself just starting finds fault with everybody, and pods that work are not ended for it.
    private func checkNetworks(_ ids: [SandboxID]) async {
        for id in ids {
            guard !closed, let record = sandboxes[id]?.record, record.stage == .ready, record.networkAttached else {
                continue
            }
            do {
                try await network.check(sandbox: id.text)
            } catch {
                // One that was stopped meanwhile has no network to look at.
                guard sandboxes[id]?.record.stage == .ready, sandboxes[id]?.dismantling == false else { continue }
                logger.warning(
                    "an adopted pod's network is not as its plugins made it",
                    metadata: ["pod": "\(podName(id))", "sandbox": "\(id)", "reason": "\(error)"])
            }
        }
    }

    private func takeOff(_ forgotten: [String]) async {
        await network.collectGarbage(forgotten)
        let left = Set(await network.forgotten(keep: []))
        for sandbox in forgotten where !left.contains(sandbox) {
            repaired(String(sandbox.prefix(12)), "took it off the network", why: "no record speaks for it")
        }
    }

    /// Returns once what an earlier engine left undone has been taken away, or can't be.
    public func clearedUp() async { await clearing?.value }

    /// Brings one sandbox and its containers to the truth.
    private func adopt(_ record: SandboxRecord) async {
        let id = record.id
        var lives = false
        var why = "its shim was gone when the node started"
        let before = containers(of: id).map(\.record)
        do {
            try await reconnect(id)
            lives = true
        } catch {
            // No shim serves the pod: after a reboot, or because it died. One that runs and can't be talked to is ended.
            if (error as? ShimFailure)?.code == .noAnswer { why = "its shim gave no answer when the node started" }
            await StrayShims.end(id, below: places.state + "/sandboxes")
        }
        for entry in containers(of: id) where entry.record.stage == .starting {
            await settleStart(entry.record.id)
        }
        if record.stage != .making, !lives {
            await readExitRecords(of: id)
            await endAbandoned(id, why: why)
            if record.stage == .ready {
                repaired(podName(id), "ended what was left of it", why: why)
            }
        }
        for entry in containers(of: id) where entry.record.stage == .created { await judge(entry.record) }
        for old in before { tellChange(from: old) }
    }

    /// Tells what has become of a container while nobody looked.
    private func tellChange(from old: ContainerRecord) {
        guard let new = containers[old.id]?.record, new.stage != old.stage else { return }
        switch (old.stage, new.stage) {
        case (_, .exited):
            repaired(
                new, "noted that it has ended with code \(new.exitCode)",
                why: new.message.isEmpty ? "it ended while the node was down" : new.message)
        case (.starting, .running):
            repaired(new, "noted that it runs", why: "the node ended before its start was written down")
        case (.starting, .created):
            repaired(new, "took its start back", why: "the node ended in the middle of it")
        default: break
        }
    }

    /// Takes away what was half made or half removed of one pod.
    private func clearUp(_ record: SandboxRecord) async {
        let id = record.id
        if record.stage == .making {
            let pod = podName(id)
            return await attempt("a half-made sandbox can't be cleared away", id) {
                try await self.removeSandbox(id)
                self.repaired(pod, "took the half-made sandbox away", why: "the node ended in the middle of it")
            }
        }
        if sandboxes[id]?.record.stage == .stopped {
            await attempt("a stopped sandbox can't be taken apart", id) { try await self.dismantleAgain(id) }
        }
        for entry in containers(of: id) where entry.record.stage == .making || entry.record.stage == .removing {
            await attempt("a half-made container can't be cleared away", entry.record.id) {
                let half = entry.record.stage == .making ? "half-made" : "half-removed"
                try await self.removeContainer(entry.record.id)
                self.repaired(
                    entry.record, "took the \(half) container away", why: "the node ended in the middle of it")
            }
        }
    }

    private func dismantleAgain(_ id: SandboxID) async throws {
        guard let entry = sandboxes[id] else { return }
        try await entry.turnstile.pass { try await dismantle(id) }
    }

    /// A created container whose root or pod has gone with the machine's restart can't be started any more.
    private func judge(_ record: ContainerRecord) async {
        let (bundle, rootfs) = (places.bundle(record.id), places.rootfs(record.id))
        let whole = await Blocking.run {
            File.exists(bundle + "/config.json")
                && (try? FilesystemStatistics(rootfs).type) == FilesystemStatistics.overlayMagic
        }
        if whole, sandboxes[record.sandbox]?.record.stage == .ready { return }
        note(record.id) { record in
            record.stage = .exited
            record.exitCode = 255
            record.reason = "Unknown"
            record.message = "its root filesystem or its pod was gone when the node started"
            record.finishedAtNanoseconds = wallClockNanoseconds()
        }
        containers[record.id]?.ended.open()
    }

    /// A start that the engine didn't live to see through: what the shim has of it is undone, and it can be tried again.
    private func settleStart(_ id: ContainerID) async {
        guard let record = containers[id]?.record, record.stage == .starting,
            let shim = sandboxes[record.sandbox]?.shim
        else { return }
        containers[id]?.isTakenBack = true
        defer { containers[id]?.isTakenBack = false }
        do {
            try await shim.delete(id.text, force: true, deadline: configuration.stepDeadline)
            note(id) { record in
                record.stage = .created
                record.pid = 0
            }
        } catch {
            containerLost(id, why: "its start was interrupted: \(error)")
        }
    }

    /// Ends that a shim wrote down before it died.
    func readExitRecords(of id: SandboxID) async {
        for entry in containers(of: id) where entry.record.stage == .running || entry.record.stage == .starting {
            let path = places.shim(id) + "/\(entry.record.id.text).exit"
            let exit = await Blocking.run { () -> ExitRecord? in
                guard let bytes = try? File.read(path, limit: 64 << 10) else { return nil }
                return try? ExitRecord.read(bytes)
            }
            if let exit { containerEnded(entry.record.id, exit) }
        }
    }
}
