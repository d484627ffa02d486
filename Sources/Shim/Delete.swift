import Glibc
import Linux
import ShimProtocol

extension ShimServer {
    /// How long a runtime may go on creating what nobody wants any more.
    private static let patienceMilliseconds: Int64 = 2000

    /// Deletes a container: at once when it has ended, after its end when it was killed for this (`force`).
    func delete(_ id: String, force: Bool, _ deletion: PendingDeletion) throws(ShimFailure) {
        guard let container = containers[id] else {
            deletion.responder.succeed()
            return
        }
        guard container.end != nil || force else {
            throw ShimFailure(.wrongStage, "container \(id) is \(container.stage.rawValue): stop it, or force")
        }
        container.deletions.append(deletion)
        if force { container.isDeletedByForce = true }
        if container.stage != .creating {
            beginDeletion(container)
        } else if force {
            // A runtime that is busy creating it is left to finish, so that it undoes what it made. One that hangs is not.
            loop.after(milliseconds: Self.patienceMilliseconds) { [weak container] in container?.creation?.giveUp() }
        }
    }

    /// Ends a container that is to be deleted, and deletes one that has ended.
    func beginDeletion(_ container: PodContainer) {
        if container.end == nil {
            Glibc.kill(container.pid, SIGKILL)
            // One that doesn't die of it (it is frozen) is the runtime's to end.
            loop.after(milliseconds: 5000) { [unowned self, weak container] in
                if let container, container.end == nil { deleteWithRuntime(container, force: true) }
            }
        }
        if container.exit != nil { deleteWithRuntime(container, force: false) }
    }

    /// The container has ended and its exit is told: those who wait for its deletion get it.
    func continueDeletion(_ container: PodContainer) {
        if !container.deletions.isEmpty { deleteWithRuntime(container, force: false) }
    }

    private func deleteWithRuntime(_ container: PodContainer, force: Bool) {
        guard !container.isDeleting else { return }
        container.isDeleting = true
        let deadline = container.deletions.map(\.deadlineMilliseconds).min() ?? 60_000
        do throws(ShimFailure) {
            try runRuntime(
                ["delete"] + (force || container.isDeletedByForce ? ["--force"] : []) + [container.id],
                deadlineMilliseconds: deadline
            ) { [unowned self] outcome in
                container.isDeleting = false
                switch outcome {
                case .succeeded: deleted(container)
                case .failed(let failure, _):
                    // What the runtime doesn't know is deleted.
                    if File.exists("\(options.runtimeRoot)/\(container.id)") {
                        answerDeletions(container, .failure(failure))
                    } else {
                        deleted(container)
                    }
                }
            }
        } catch {
            container.isDeleting = false
            answerDeletions(container, .failure(error))
        }
    }

    private func deleted(_ container: PodContainer) {
        // A forced deletion may be told before the loop has reaped the process; its exit event then comes first.
        guard container.exit != nil else {
            loop.after(milliseconds: 10) { [unowned self, weak container] in if let container { deleted(container) } }
            return
        }
        release(container)
        containers[container.id] = nil
        unlinkat(directory.descriptor.raw, "\(container.id).exit", 0)
        answerDeletions(container, .success(Reply(exit: container.exit)))
    }

    func answerDeletions(_ container: PodContainer, _ result: Result<Reply, ShimFailure>) {
        let waiting = container.deletions
        container.deletions = []
        for deletion in waiting {
            switch result {
            case .success(let reply): deletion.responder.succeed(reply)
            case .failure(let failure): deletion.responder.fail(failure)
            }
        }
    }

    /// Lets go of a container's streams; what is in them goes to the log first.
    func release(_ container: PodContainer) {
        loop.cancel(container.grace)
        container.grace = nil
        for output in container.outputs where !output.hasEnded {
            output.drain()
            output.close()
        }
        container.outputs = []
        container.input?.close()
        container.input = nil
        container.terminal = nil
    }
}
