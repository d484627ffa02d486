import CRI
import Logging

extension Engine {
    /// Changes a sandbox's record and returns when it is written down; the change holds in memory only if it could be. What
    /// has happened to the sandbox meanwhile holds, too.
    func change(_ id: SandboxID, _ body: (inout SandboxRecord) -> Void) async throws {
        guard let before = sandboxes[id]?.record else { return }
        var record = before
        body(&record)
        try await store.save(record)
        guard let now = sandboxes[id]?.record else { return }
        record = now
        body(&record)
        sandboxes[id]?.record = record
        if now != before { store.note(record) }
    }

    /// Changes a container's record, as a sandbox's.
    func change(_ id: ContainerID, _ body: (inout ContainerRecord) -> Void) async throws {
        guard let before = containers[id]?.record else { return }
        var record = before
        body(&record)
        try await store.save(record)
        guard let now = containers[id]?.record else { return }
        record = now
        body(&record)
        containers[id]?.record = record
        if now != before { store.note(record) }
    }

    /// Notes what has happened already: it is true in memory at once and written down a little later. A node that dies in
    /// between finds it out from the shim.
    func note(_ id: SandboxID, _ body: (inout SandboxRecord) -> Void) {
        guard var record = sandboxes[id]?.record else { return }
        body(&record)
        sandboxes[id]?.record = record
        store.note(record)
    }

    /// Notes what has happened to a container, as to a sandbox.
    func note(_ id: ContainerID, _ body: (inout ContainerRecord) -> Void) {
        guard var record = containers[id]?.record else { return }
        body(&record)
        containers[id]?.record = record
        store.note(record)
    }
}
