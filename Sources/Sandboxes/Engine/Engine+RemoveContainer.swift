import CRI
import Images
import Linux
import ShimProtocol

extension Engine {
    /// Removes a container; one that runs is killed first, an unknown one is success. Its log stays: it is the kubelet's.
    public func removeContainer(
        _ request: CRIRemoveContainerRequest
    ) async throws(CRIError) -> CRIRemoveContainerResponse {
        guard let id = try findContainer(request.containerID), let entry = containers[id] else {
            return CRIRemoveContainerResponse()
        }
        let name = describe(entry.record)
        do {
            try await removeContainer(id)
        } catch {
            throw Failure.translate(error, "\(name): remove")
        }
        return CRIRemoveContainerResponse()
    }

    /// Kills what runs, takes everything of the container away, then forgets it.
    func removeContainer(_ id: ContainerID) async throws {
        guard let entry = containers[id] else { return }
        try await ending("remove \(id)", lane: entry.record.sandbox) {
            try await entry.turnstile.pass { try await self.remove(id) }
        }
    }

    private func remove(_ id: ContainerID) async throws {
        guard containers[id] != nil else { return }
        try await kill(id)
        await hookRemoved(id)
        guard let entry = containers[id] else { return }
        let told = entry.isVisible
        note(id) { $0.stage = .removing }
        try await clear(entry.record)
        if told { announce(container: id, .containerDeletedEvent) }
        containers[id] = nil
        if containerKeys[entry.record.key] == id { containerKeys[entry.record.key] = nil }
        try await reached(.containerForgotten)
    }

    /// Takes away what a container has on this host: the runtime's state, its root, its directories, its record.
    func clear(_ record: ContainerRecord) async throws {
        let id = record.id
        let sandbox = sandboxes[record.sandbox]
        // Without a shim the runtime itself is asked.
        let known = await tryWith(shimOf: record.sandbox) { shim throws(ShimFailure) in
            try await shim.delete(id.text, force: true, deadline: configuration.stepDeadline)
        }
        if !known {
            let handler = sandbox?.record.runtimeHandler ?? ""
            let runtime = RuntimeCommand(
                path: try runtime(handler: handler, for: describe(record)), root: places.runtimeRoot)
            try await Blocking.run { try runtime.delete(id.text) }
        }
        // A runtime that had lost the container's state leaves its cgroup.
        await endCgroup(record.cgroupsPath)
        try await reached(.runtimeDeleted)
        try await images.unmountRootfs(container: id.text, at: places.rootfs(id))
        try await reached(.rootUnmounted)
        try await images.removeSnapshot(container: id.text)
        try await reached(.snapshotRemoved)
        if record.config.mounts.contains(where: ImageVolumes.isOne) { try await clearImageVolumes(of: id) }
        let bundle = places.bundle(id)
        try await Blocking.run { try Directory.removeTree(bundle) }
        try await reached(.bundleRemoved)
        try await store.forget(id)
    }
}
