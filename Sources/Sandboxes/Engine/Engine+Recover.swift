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
    public func recover() async {
        let (store, logger) = (store, logger)
        let contents = await Blocking.run { store.readAll(logger: logger) }
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
        let running = containers.values.filter { $0.record.stage == .running }.count
        logger.info(
            "engine recovered",
            metadata: [
                "sandboxes": "\(sandboxes.count)", "containers": "\(containers.count)", "running": "\(running)",
            ])
        clearing = Task {
            await withTaskGroup(of: Void.self) { group in
                for record in contents.sandboxes { group.addTask { await self.clearUp(record) } }
                group.addTask { await self.clear(lost) }
                group.addTask { await self.network.collectGarbage(forgotten) }
            }
        }
    }

    /// Returns once what an earlier engine left undone has been taken away, or can't be.
    public func clearedUp() async { await clearing?.value }

    /// Brings one sandbox and its containers to the truth.
    private func adopt(_ record: SandboxRecord) async {
        let id = record.id
        var lives = false
        do {
            try await reconnect(id)
            lives = true
        } catch {
            // No shim serves the pod: after a reboot, or because it died. One that runs and can't be talked to is ended.
            await StrayShims.end(id, below: places.state + "/sandboxes")
        }
        for entry in containers(of: id) where entry.record.stage == .starting {
            await settleStart(entry.record.id)
        }
        if record.stage != .making, !lives {
            await readExitRecords(of: id)
            await endAbandoned(id, why: "its shim was gone when the node started")
        }
        for entry in containers(of: id) where entry.record.stage == .created { await judge(entry.record) }
    }

    /// Takes away what was half made or half removed of one pod.
    private func clearUp(_ record: SandboxRecord) async {
        let id = record.id
        if record.stage == .making {
            return await attempt("a half-made sandbox can't be cleared away", id) { try await self.removeSandbox(id) }
        }
        if sandboxes[id]?.record.stage == .stopped {
            await attempt("a stopped sandbox can't be taken apart", id) { try await self.dismantleAgain(id) }
        }
        for entry in containers(of: id) where entry.record.stage == .making || entry.record.stage == .removing {
            await attempt("a half-made container can't be cleared away", entry.record.id) {
                try await self.removeContainer(entry.record.id)
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

    /// What no record speaks for.
    private struct Lost: Sendable {
        var sandboxes: Set<SandboxID>
        var containers: Set<ContainerID>
        /// Containers with a record whose sandbox has none.
        var orphans: [ContainerRecord]
    }

    private func findLost(_ contents: RecordStore.Contents) async -> Lost {
        let places = places
        let (sandboxDirectories, bundles, runtimeStates) = await Blocking.run {
            (
                Self.names(places.state + "/sandboxes"), Self.names(places.state + "/containers"),
                Self.names(places.runtimeRoot)
            )
        }
        return Lost(
            sandboxes: Set(contents.lostSandboxes + sandboxDirectories.compactMap { SandboxID($0) })
                .filter { sandboxes[$0] == nil },
            containers: Set(contents.lostContainers + (bundles + runtimeStates).compactMap { ContainerID($0) })
                .filter { containers[$0] == nil && SandboxID($0.text).map { sandboxes[$0] == nil } ?? true },
            orphans: containers.values.map(\.record).filter { sandboxes[$0.sandbox] == nil })
    }

    /// Takes away what no record speaks for.
    private func clear(_ lost: Lost) async {
        for record in lost.orphans {
            await attempt("a container without its sandbox can't be cleared away", record.id) {
                await self.endCgroup(record.cgroupsPath)
                self.containerLost(record.id, why: "its sandbox is gone")
                try await self.removeContainer(record.id)
            }
        }
        for id in lost.sandboxes {
            await attempt("the leftovers of a sandbox can't be cleared away", id) {
                try await self.clearLost(id)
            }
        }
        let (places, store) = (places, store)
        let holders = await shimsOfUnknown()
        for id in lost.containers.union(holders.keys) {
            await attempt("the leftovers of a container can't be cleared away", id) {
                try await holders[id]?.delete(id.text, force: true, deadline: self.configuration.stepDeadline)
                let runtime = RuntimeCommand(path: self.configuration.runtimePath, root: places.runtimeRoot)
                try await Blocking.run { try runtime.delete(id.text) }
                try await self.images.unmountRootfs(container: id.text, at: places.rootfs(id))
                try await self.images.removeSnapshot(container: id.text)
                try await self.clearImageVolumes(of: id)
                try await Blocking.run {
                    try Directory.removeTree(places.bundle(id))
                    try store.remove(id)
                }
            }
        }
    }

    /// The shims that live, by the containers that they hold and nobody else knows of.
    private func shimsOfUnknown() async -> [ContainerID: any PodShim] {
        var holders: [ContainerID: any PodShim] = [:]
        for (sandbox, entry) in sandboxes {
            // A shim that doesn't answer is its sandbox's trouble.
            guard let shim = entry.shim, let info = try? await shim.info() else { continue }
            for container in info.containers where container.id != sandbox.text {
                if let id = ContainerID(container.id), containers[id] == nil { holders[id] = shim }
            }
        }
        return holders
    }

    /// Ends a pod of which nothing is known but its name.
    private func clearLost(_ id: SandboxID) async throws {
        let (places, store) = (places, store)
        if let shim = try? await shims.connect(directory: places.shim(id)) {
            let info = try await shim.info()
            for container in info.containers {
                try await shim.delete(container.id, force: true, deadline: configuration.stepDeadline)
            }
            try await shim.shutdown()
            await shim.disconnect()
        } else {
            await StrayShims.end(id, below: places.state + "/sandboxes")
        }
        let runtime = RuntimeCommand(path: configuration.runtimePath, root: places.runtimeRoot)
        try await Blocking.run { try runtime.delete(id.text) }
        try await network.detach(
            sandbox: id.text,
            otherwise: Attachment(
                sandbox: id.text, netns: places.netns(id), podNamespace: "", podName: id.short, podUID: ""))
        try await Blocking.run {
            try removeNetworkNamespace(places.netns(id))
            try removeNetworkNamespace(places.userNamespace(id))
            try Linux.Mount.unmount(places.files(id).shm, detach: true)
            try Directory.removeTree(places.sandbox(id))
            try store.remove(id)
        }
    }

    private static func names(_ directory: String) -> [String] { (try? Directory.names(directory)) ?? [] }

    /// Runs a clean-up whose failure is told and doesn't stop the others; the next start tries again.
    private func attempt(
        _ complaint: String, _ id: any CustomStringConvertible & Sendable, _ work: () async throws -> Void
    ) async {
        do {
            try await work()
        } catch {
            logger.error(
                "\(complaint); the next start tries again", metadata: ["id": "\(id)", "reason": "\(error)"])
        }
    }
}
