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
        try await entry.turnstile.pass {
            guard sandboxes[id] != nil else { return }
            try await dismantle(id)
            for container in containers(of: id) { try await removeContainer(container.record.id) }
            try await forget(id)
        }
    }

    /// Takes the directories and the record away, then the table's entry.
    private func forget(_ id: SandboxID) async throws {
        let (directory, store) = (places.sandbox(id), store)
        try await Blocking.run {
            try Directory.removeTree(directory)
            try store.remove(id)
        }
        guard let entry = sandboxes[id] else { return }
        announce(sandbox: id, .containerDeletedEvent)
        sandboxes[id] = nil
        if sandboxKeys[entry.record.key] == id { sandboxKeys[entry.record.key] = nil }
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
