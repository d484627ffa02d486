import CRI
import Linux
import Logging

extension Engine {
    /// Removes a sandbox, its containers and its record; one that is ready is stopped first, an unknown one is success.
    public func removePodSandbox(
        _ request: CRIRemovePodSandboxRequest
    ) async throws(CRIError) -> CRIRemovePodSandboxResponse {
        guard let id = try findSandbox(request.podSandboxID) else { return CRIRemovePodSandboxResponse() }
        let pod = podName(id)
        do {
            try await removeSandbox(id)
        } catch {
            throw Failure.translate(error, "pod \(pod): remove")
        }
        return CRIRemovePodSandboxResponse()
    }

    /// Stops and removes; the sandbox is forgotten only when nothing of it is left.
    func removeSandbox(_ id: SandboxID) async throws {
        guard let entry = sandboxes[id] else { return }
        try await ending("remove \(id)", lane: id) {
            try await entry.turnstile.pass { try await self.remove(id) }
        }
    }

    private func remove(_ id: SandboxID) async throws {
        guard sandboxes[id] != nil else { return }
        try await dismantle(id)
        try await removeContainers(of: id)
        await hookRemoved(id)
        try await forget(id)
    }

    /// How many of a sandbox's containers are removed side by side. It has few threads: more would only queue for them.
    private static let mostRemovals = 8

    private func removeContainers(of id: SandboxID) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var failures = FirstFailure()
            for (index, container) in containers(of: id).enumerated() {
                if index >= Self.mostRemovals, let result = await group.nextResult() {
                    await failures.collect { try result.get() }
                }
                group.addTask { try await self.removeContainer(container.record.id) }
            }
            while let result = await group.nextResult() {
                await failures.collect { try result.get() }
            }
            try failures.rethrow()
        }
    }

    /// Takes the directories and the record away, then the table's entry.
    private func forget(_ id: SandboxID) async throws {
        let directory = places.sandbox(id)
        try await Blocking.run { try Directory.removeTree(directory) }
        try await reached(.podDirectoryRemoved)
        try await store.forget(id)
        guard let entry = sandboxes[id] else { return }
        announce(sandbox: id, .containerDeletedEvent)
        sandboxes[id] = nil
        if sandboxKeys[entry.record.key] == id { sandboxKeys[entry.record.key] = nil }
        try await reached(.sandboxForgotten)
    }

    /// Undoes a sandbox that could not be made, whatever became of the caller.
    func rollBack(_ id: SandboxID) async {
        await Task {
            do {
                try await removeSandbox(id)
            } catch {
                logger.error(
                    "a half-made sandbox can't be cleared away; the next start tries again",
                    metadata: ["sandbox": "\(id)", "reason": "\(error)"])
            }
        }.value
    }
}
