import Glibc
import JSON
import Linux
import ShimProtocol

extension ShimServer {
    /// How long the news of an exit waits for output that somebody else still holds open.
    static let graceMilliseconds: Int64 = 500

    /// A container's first process was reaped.
    func containerEnded(_ container: PodContainer, _ end: ProcessEnd) {
        container.end = end
        finishContainer(container)
    }

    /// Goes on with the end of a container: its last output, its record, the news. Called again when what it waited for
    /// (`create`, `start`) is done.
    func finishContainer(_ container: PodContainer) {
        guard container.stage != .creating, !container.isStarting, container.grace == nil, container.exit == nil,
            !container.isKillingRest
        else {
            return
        }
        guard !container.request.privatePIDNamespace else {
            drain(container)
            return
        }
        // Without a pid namespace of its own the rest of it lives on, and would hold its streams open.
        container.isKillingRest = true
        do throws(ShimFailure) {
            try runRuntime(["kill", "--all", container.id, "9"], deadlineMilliseconds: 10_000) {
                [unowned self] _ in
                // A failure (nothing was left) changes nothing: the drain is bounded.
                container.isKillingRest = false
                drain(container)
            }
        } catch {
            container.isKillingRest = false
            drain(container)
        }
    }

    /// Everything written before the exit is in the pipes: it is read now. What a lingering process may still write is
    /// waited for, but not for ever.
    private func drain(_ container: PodContainer) {
        guard container.exit == nil else { return }
        loop.cancel(container.grace)
        for output in container.outputs { output.drain() }
        if container.outputs.allSatisfy(\.hasEnded) {
            report(container)
        } else {
            container.grace = loop.after(milliseconds: Self.graceMilliseconds) { [unowned self] in report(container) }
        }
    }

    /// One of a container's streams has ended.
    func outputEnded(_ container: PodContainer) {
        guard container.end != nil, container.grace != nil, container.exit == nil,
            container.outputs.allSatisfy(\.hasEnded)
        else { return }
        loop.cancel(container.grace)
        // From the loop, not from within a read.
        container.grace = loop.after(milliseconds: 0) { [unowned self] in report(container) }
    }

    private func report(_ container: PodContainer) {
        guard let end = container.end, container.exit == nil else { return }
        loop.cancel(container.grace)
        container.grace = nil
        let kills = container.memory?.kills ?? 0
        let record = end.record(pid: container.pid, oomKilled: kills > 0 && end.status != .exited(code: 0))
        container.exit = record
        container.stage = .exited
        // Without the file the shim still knows; only the death of both the shim and the agent would lose it.
        try? AtomicFile.write("\(container.id).exit", record.encoded(), at: directory.descriptor.raw)
        if kills > 0 { emit(.oom(container: container.id)) }
        emit(.exited(container: container.id, exec: nil, record))
        container.input?.close()
        for output in container.outputs { output.detachAll() }
        continueDeletion(container)
    }

    /// An exec was reaped; its streams are its caller's.
    func execEnded(_ container: PodContainer, _ exec: ContainerExec, _ end: ProcessEnd) {
        let record = end.record(pid: exec.pid)
        exec.exit = record
        container.remember(ended: exec)
        emit(.exited(container: container.id, exec: exec.id, record))
    }
}
