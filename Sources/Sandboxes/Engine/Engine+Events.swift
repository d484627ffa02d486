import CRI

extension Engine {
    /// The life of every container and sandbox from now on.
    ///
    /// Each event carries the pod's status and those of its containers, as the kubelet's evented loop wants them; a
    /// sandbox's own events carry its id as the container's.
    public func getContainerEvents(
        _ request: CRIGetEventsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIContainerEventResponse, any Error> {
        events.subscribe()
    }

    func announce(container id: ContainerID, _ type: CRIContainerEventType) {
        guard let entry = containers[id] else { return }
        announce(id.text, in: entry.record.sandbox, type, without: type == .containerDeletedEvent ? id : nil)
    }

    func announce(sandbox id: SandboxID, _ type: CRIContainerEventType) {
        guard let entry = sandboxes[id], entry.isVisible else { return }
        announce(id.text, in: id, type, without: nil)
    }

    private func announce(
        _ name: String, in sandbox: SandboxID, _ type: CRIContainerEventType, without removed: ContainerID?
    ) {
        guard events.hasSubscribers else { return }
        var event = CRIContainerEventResponse()
        event.containerID = name
        event.containerEventType = type
        event.createdAt = wallClockNanoseconds()
        if let entry = sandboxes[sandbox] { event.podSandboxStatus = status(entry.record) }
        event.containersStatuses = visibleStatuses(of: sandbox).filter { $0.id != removed?.text }
        events.send(event)
    }
}
