import KubeTypes
import Logging

/// Asking the containers how they are.
extension PodWorker {
    func reconcileProbes(_ seen: PodSnapshot) {
        var wanted: [ProbeKey: ProbeLoop] = [:]
        if !wish.isStop, !plan.isFinished, let pod = wish.pod, let sandbox = seen.sandboxes.first, sandbox.isReady {
            let address =
                pod.spec.hostNetwork
                ? hands.configuration.nodeAddresses.first ?? "127.0.0.1" : sandbox.addresses.first ?? ""
            for container in pod.spec.initContainers.filter(\.isSidecar) + pod.spec.containers {
                guard let fact = seen.latest(container.name, in: sandbox.id), fact.state == .running else { continue }
                for (kind, probe) in due(container, fact) {
                    wanted[ProbeKey(container: fact.id, kind: kind)] = ProbeLoop(
                        kind: kind, probe: probe, target: ProbeTarget(probe, container, address: address),
                        containerID: fact.id, startedAt: fact.startedAt, prober: Prober(runtime: hands.runtime),
                        clock: clock)
                }
            }
        }
        for (key, task) in probes where wanted[key] == nil {
            task.cancel()
            probes[key] = nil
        }
        for (key, loop) in wanted where probes[key] == nil {
            probes[key] = Task { [weak self] in
                await loop.run { [weak self] verdict, message in await self?.probed(key, verdict, message) }
            }
        }
    }

    /// A container's probes that are asked now: the startup probe alone until it has succeeded.
    private func due(_ container: Container, _ fact: ContainerFact) -> [(ProbeKind, Probe)] {
        let supported = [container.startupProbe, container.livenessProbe, container.readinessProbe].map { probe in
            probe.flatMap { $0.exec != nil || $0.httpGet != nil || $0.tcpSocket != nil ? $0 : nil }
        }
        if let startup = supported[0], memory.probes[fact.id]?.startup != true { return [(.startup, startup)] }
        return [(.liveness, supported[1]), (.readiness, supported[2])].compactMap { kind, probe in
            probe.map { (kind, $0) }
        }
    }

    private func probed(_ key: ProbeKey, _ verdict: Bool, _ message: String) {
        guard snapshot?.container(key.container)?.state == .running else { return }
        var verdicts = memory.probes[key.container] ?? ProbeVerdicts()
        switch key.kind {
        case .startup: (verdicts.startup, verdicts.startupMessage) = (verdict, message)
        case .liveness: (verdicts.liveness, verdicts.livenessMessage) = (verdict, message)
        case .readiness: (verdicts.readiness, verdicts.readinessMessage) = (verdict, message)
        }
        memory.probes[key.container] = verdicts
        if !verdict {
            logger.info(
                "Probe failed", metadata: ["probe": "\(key.kind)", "id": "\(key.container)", "message": "\(message)"])
        }
        wake()
    }
}
