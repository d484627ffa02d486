import KubeTypes

/// Decides how a pod ends: its containers, then its sidecars from the last to the first, then its sandboxes.
struct StopPlanner {
    let pod: Pod?
    /// Seconds; nil: the pod's own.
    let graceSeconds: Int64?
    let snapshot: PodSnapshot
    let memory: PodMemory
    var why: KillOrder.Why = .podStopped

    func plan() -> PodPlan {
        var plan = PodPlan(isFinished: true)
        plan.actions = kills()
        guard !snapshot.containers.contains(where: \.mayRun), memory.busy.isEmpty else { return plan }
        if let left = snapshot.sandboxes.first(where: { $0.isReady || !memory.stopped.contains($0.id) }) {
            plan.actions.append(.stopSandbox(left.id))
        } else if !snapshot.containers.isEmpty {
            plan.actions.append(.remove(containers: snapshot.containers.map(\.id)))
        } else if let left = snapshot.sandboxes.last {
            plan.actions.append(.removeSandbox(left.id))
        } else {
            plan.actions.append(.finish)
        }
        return plan
    }

    /// Containers to be stopped now. A sidecar outlives the containers that it serves.
    func kills() -> [PodAction] {
        let living = snapshot.containers.filter(\.mayRun)
        let sidecars = pod?.spec.initContainers.filter(\.isSidecar).map(\.name) ?? []
        var targets = living.filter { !sidecars.contains($0.name) }
        if targets.isEmpty, let last = sidecars.last(where: { name in living.contains { $0.name == name } }) {
            targets = living.filter { $0.name == last }
        }
        var hands: Set<Hand> = memory.busy
        return targets.compactMap { target in
            guard hands.insert(.container(target.name)).inserted else { return nil }
            return .kill(KillOrder(id: target.id, name: target.name, why: why, graceSeconds: graceSeconds))
        }
    }
}

extension Container {
    /// An init container that stays: it is started in its turn and runs beside the pod's containers.
    var isSidecar: Bool { restartPolicy == .always }
}
