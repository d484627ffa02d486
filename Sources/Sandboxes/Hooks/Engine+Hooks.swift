import CRI
import Cgroups
import JSON
import Linux
import Logging
import OCISpec

extension Engine {
    /// Who is asked and told at each step of pods' and containers' lives from now on.
    public func setHooks(_ hooks: any PodHooks) { self.hooks = hooks }

    func hooked(_ record: SandboxRecord, pid: Int32? = nil, addresses: [String]? = nil) -> HookedPod {
        HookedPod(
            id: record.id.text, config: record.config, runtimeHandler: record.runtimeHandler,
            pid: pid ?? record.pausePID, addresses: addresses ?? record.addresses,
            // A path that was refused was never made.
            cgroupsPath: (try? places.cgroup(parent: record.config.linux.cgroupParent, id: record.id.text)) ?? "",
            netns: record.netns)
    }

    func hooked(_ record: ContainerRecord, spec: Spec?) -> HookedContainer {
        HookedContainer(
            id: record.id.text, pod: record.sandbox.text, config: record.config,
            state: ContainerEntry.state(of: record), spec: spec, pid: record.pid,
            createdAtNanoseconds: record.createdAtNanoseconds, startedAtNanoseconds: record.startedAtNanoseconds,
            finishedAtNanoseconds: record.finishedAtNanoseconds, exitCode: record.exitCode, reason: record.reason,
            message: record.message)
    }

    /// Asks before a sandbox is anybody's: what throws ends its making.
    func hookRun(_ id: SandboxID, pid: Int32, addresses: [String], context: String) async throws {
        guard let hooks, let record = sandboxes[id]?.record else { return }
        sandboxes[id]?.hooked = true
        try await step("\(context): plugins") {
            try await hooks.run(hooked(record, pid: pid, addresses: addresses))
        }
    }

    func hookUpdate(_ id: SandboxID, _ request: CRIUpdatePodSandboxResourcesRequest) async throws {
        guard let hooks, let record = sandboxes[id]?.record else { return }
        try await hooks.update(
            hooked(record),
            PodResourceChange(
                overhead: request.hasOverhead ? try Resources.plan(request.overhead, facts: facts) : nil,
                resources: request.hasResources ? try Resources.plan(request.resources, facts: facts) : nil))
    }

    func hookUpdated(_ id: SandboxID) async {
        guard let hooks, let record = sandboxes[id]?.record else { return }
        await hooks.updated(hooked(record))
    }

    /// Tells of a sandbox's stop, once, after the ends of its containers were told. One that never came to be never stops.
    func hookStopped(_ id: SandboxID) async {
        guard let hooks, let entry = sandboxes[id], entry.hooked, !entry.stopTold, entry.record.stage != .making else {
            return
        }
        sandboxes[id]?.stopTold = true
        for container in containers(of: id) { await hookStoppedTold(container.record.id) }
        await hooks.stopped(hooked(entry.record))
    }

    func hookRemoved(_ id: SandboxID) async {
        guard let hooks, let entry = sandboxes[id], entry.hooked else { return }
        await hooks.removed(hooked(entry.record))
    }

    /// A container as it is now, with its pod; nil when nobody asks or there is no such container.
    private func hooked(_ id: ContainerID) async -> (HookedContainer, HookedPod)? {
        guard hooks != nil, containers[id]?.hooked == true else { return nil }
        let path = places.bundle(id) + "/config.json"
        let spec = await Blocking.run { () -> Spec? in
            // Of one whose bundle is gone there is less to tell.
            guard let bytes = try? File.read(path, limit: 16 << 20) else { return nil }
            return try? Spec.read(bytes)
        }
        guard let record = containers[id]?.record, let sandbox = sandboxes[record.sandbox]?.record else { return nil }
        return (hooked(record, spec: spec), hooked(sandbox))
    }

    /// Asks before a container is made. What plugins do to others is done at once.
    func hookCreate(_ id: ContainerID, _ spec: Spec, name: String) async throws -> Spec {
        guard let hooks, let record = containers[id]?.record, let sandbox = sandboxes[record.sandbox]?.record else {
            return spec
        }
        containers[id]?.hooked = true
        let change = try await step("\(name): plugins") {
            try await hooks.create(hooked(record, spec: spec), in: hooked(sandbox))
        }
        var made = change.spec
        if !change.cdiDevices.isEmpty {
            let (directories, names) = (configuration.cdiDirectories, change.cdiDevices)
            let edits = try await step("\(name): plugins' devices") {
                try await Blocking.run {
                    var edits = try CDIRegistry(directories: directories).edits(for: names)
                    for index in edits.indices { try edits[index].lookAtHost() }
                    return edits
                }
            }
            for edit in edits { edit.apply(to: &made) }
        }
        if let path = made.linux?.cgroupsPath, path != record.cgroupsPath {
            guard path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
                throw CRIError(.invalidArgument, "\(name): a plugin asks for the cgroup \(path): not a plain path")
            }
            // With the container goes whatever is in its cgroup, so it may not be one that others are in, or below.
            let host = cgroups
            guard try await Blocking.run({ try !Cgroup(path: path, host: host).exists }) else {
                throw CRIError(
                    .failedPrecondition,
                    "\(name): a plugin asks for the cgroup \(path), which exists already and is not the container's own"
                )
            }
            try await self.change(id) { $0.cgroupsPath = path }
        }
        _ = await apply(change.updates)
        await evict(change.evictions)
        return made
    }

    func hookCreated(_ id: ContainerID) async {
        guard let (container, pod) = await hooked(id) else { return }
        await hooks?.created(container, in: pod)
    }

    func hookStart(_ id: ContainerID) async throws {
        guard let (container, pod) = await hooked(id) else { return }
        try await hooks?.start(container, in: pod)
    }

    /// Tells of a container's start; its end is told behind that.
    func hookStarted(_ id: ContainerID) {
        guard let hooks, let entry = containers[id], entry.hooked else { return }
        containers[id]?.startHook = Task {
            guard let (container, pod) = await hooked(id) else { return }
            await hooks.started(container, in: pod)
        }
    }

    /// Asks before limits are changed; returns the limits to set.
    func hookUpdate(_ id: ContainerID, _ resources: LinuxResources) async throws -> LinuxResources {
        guard let hooks, let (container, pod) = await hooked(id) else { return resources }
        let change = try await hooks.update(container, in: pod, resources)
        _ = await apply(change.updates)
        await evict(change.evictions)
        return change.resources
    }

    func hookUpdated(_ id: ContainerID) async {
        guard let (container, pod) = await hooked(id) else { return }
        await hooks?.updated(container, in: pod)
    }

    /// Tells of a container's end, once, beside whatever else is done; whoever takes it away waits for ``hookStoppedTold(_:)``.
    func hookStopped(_ id: ContainerID) {
        guard hooks != nil, let entry = containers[id], entry.hooked, entry.stopHook == nil else { return }
        containers[id]?.stopHook = Task {
            await entry.startHook?.value
            guard let (container, pod) = await hooked(id), let hooks else { return }
            _ = await apply(await hooks.stopped(container, in: pod))
        }
    }

    func hookStoppedTold(_ id: ContainerID) async { await containers[id]?.stopHook?.value }

    func hookRemoved(_ id: ContainerID) async {
        await hookStoppedTold(id)
        guard let (container, pod) = await hooked(id) else { return }
        await hooks?.removed(container, in: pod)
    }
}

extension Engine: HookedNode {
    public func hookedState() async -> HookedState {
        let pods = sandboxes.values.filter(\.hooked).map { hooked($0.record) }
        var found: [HookedContainer] = []
        for id in containers.values.filter(\.hooked).map(\.record.id) {
            if let (container, _) = await hooked(id) { found.append(container) }
        }
        return HookedState(pods: pods, containers: found)
    }

    public func apply(_ updates: [ResourceUpdate]) async -> [ResourceUpdate] {
        var failed: [ResourceUpdate] = []
        for update in updates {
            do {
                try await apply(update)
            } catch {
                if update.mayFail { continue }
                failed.append(update)
                logger.warning(
                    "a plugin's change of limits failed",
                    metadata: ["container": "\(update.container)", "reason": "\(error)"])
            }
        }
        return failed
    }

    private func apply(_ update: ResourceUpdate) async throws {
        let entry = try container(update.container)
        let id = entry.record.id
        guard entry.record.stage == .created || entry.record.stage == .running else {
            throw CRIError(.failedPrecondition, "the container has exited")
        }
        if entry.record.stage == .running {
            try await apply(update.resources, to: entry.record, name: describe(entry.record))
        }
        try await rewriteBundle(places.bundle(id)) { $0.merged(with: update.resources) }
        try await change(id) { $0.config.linux.resources = update.resources.noted(in: $0.config.linux.resources) }
    }

    public func evict(_ evictions: [Eviction]) async {
        for eviction in evictions {
            do {
                guard let id = try findContainer(eviction.container) else { continue }
                logger.notice(
                    "a plugin evicts a container",
                    metadata: ["container": "\(id)", "reason": "\(eviction.reason)"])
                try await kill(id)
            } catch {
                logger.warning(
                    "a container can't be evicted",
                    metadata: ["container": "\(eviction.container)", "reason": "\(error)"])
            }
        }
    }
}
