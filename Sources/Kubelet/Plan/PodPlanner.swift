import KubeTypes

/// Decides what to do for one pod. Pure: the same wish, snapshot, memory and time make the same plan.
///
/// The rules are the kubelet's (`computePodActions` of Kubernetes 1.36), told from the sandbox outward: a sandbox that
/// is gone or unfit is replaced with everything in it; init containers run in order, sidecars among them stay; then
/// the pod's containers run side by side, each restarted by policy and back-off; a pod with nothing left to run stops.
struct PodPlanner {
    let pod: Pod
    let snapshot: PodSnapshot
    let memory: PodMemory
    let now: WallTime
    var plan = PodPlan()

    static func plan(_ wish: PodWish, _ snapshot: PodSnapshot, _ memory: PodMemory, now: WallTime) -> PodPlan {
        switch wish {
        case .run(let pod):
            var planner = PodPlanner(pod: pod, snapshot: snapshot, memory: memory, now: now)
            planner.run()
            return planner.plan
        case .stop(let pod, let grace):
            return StopPlanner(pod: pod, graceSeconds: grace, snapshot: snapshot, memory: memory).plan()
        }
    }

    private mutating func run() {
        guard !memory.busy.contains(.sandbox) else { return }
        if let deadline = activeDeadline, deadline <= now {
            return finish(.deadline)
        }
        activeDeadline.map { plan.look(at: $0) }
        guard let current = currentSandbox else { return replaceSandbox() }
        clearOldSandboxes(except: current)
        var containers = ContainerPlanner(
            pod: pod, sandbox: current.id, snapshot: snapshot, memory: memory, now: now, plan: plan)
        let outcome = containers.run()
        plan = containers.plan
        if outcome == .nothingLeft { finish(.podFinished) }
        tidy(current: current.id)
    }

    /// The newest sandbox, when it is fit to hold the pod.
    private var currentSandbox: SandboxFact? {
        guard let newest = snapshot.sandboxes.first, newest.isReady, !memory.stopped.contains(newest.id),
            newest.hostNetwork == pod.spec.hostNetwork, pod.spec.hostNetwork || !newest.addresses.isEmpty
        else { return nil }
        return newest
    }

    // MARK: sandbox

    private mutating func replaceSandbox() {
        guard clear(snapshot.sandboxes, why: .sandboxGone) else { return }
        guard mayStartOver else {
            plan.isFinished = true
            return tidy(current: snapshot.sandboxes.first?.id)
        }
        if let trouble = memory.sandboxTrouble, trouble.retryAt > now {
            return plan.look(at: trouble.retryAt)
        }
        if let newest = snapshot.sandboxes.first, let backoff = memory.sandboxRestarts {
            let end = backoff.end(since: newest.createdAt)
            if end > now { return plan.look(at: end) }
        }
        plan.actions.append(.createSandbox(attempt: snapshot.sandboxes.first.map { $0.attempt &+ 1 } ?? 0))
    }

    /// Does a new sandbox have anything to run? A pod that never restarts and has run is over; so is one whose
    /// containers have all succeeded and need no restart.
    private var mayStartOver: Bool {
        if memory.isOver { return false }
        if snapshot.containers.isEmpty { return true }
        if pod.spec.restartPolicy == .never { return !snapshot.containers.contains { $0.state != .created } }
        guard pod.spec.restartPolicy == .onFailure else { return true }
        return pod.spec.containers.contains { container in
            guard let latest = snapshot.latest(container.name) else { return true }
            return !(latest.state == .exited && latest.exitCode == 0)
        }
    }

    /// Kills what runs in these sandboxes and stops them; true once there is nothing left to wait for.
    private mutating func clear(_ sandboxes: [SandboxFact], why: KillOrder.Why) -> Bool {
        var clean = true
        for sandbox in sandboxes {
            let living = snapshot.containers.filter { $0.sandbox == sandbox.id && $0.mayRun }
            for container in living {
                clean = false
                kill(container, why)
            }
            guard living.isEmpty, sandbox.isReady || !memory.stopped.contains(sandbox.id) else { continue }
            clean = false
            if !plan.actions.contains(where: { $0.hand == .sandbox }) { plan.actions.append(.stopSandbox(sandbox.id)) }
        }
        return clean && memory.busy.allSatisfy { $0 == .tidy }
    }

    private mutating func clearOldSandboxes(except current: SandboxFact) {
        _ = clear(
            snapshot.sandboxes.filter { $0.id != current.id && ($0.isReady || hasLiving($0.id)) }, why: .sandboxGone)
    }

    private func hasLiving(_ sandbox: String) -> Bool {
        snapshot.containers.contains { $0.sandbox == sandbox && $0.mayRun }
    }

    private mutating func kill(_ container: ContainerFact, _ why: KillOrder.Why) {
        let hand = Hand.container(container.name)
        guard !memory.busy.contains(hand), !plan.actions.contains(where: { $0.hand == hand }) else { return }
        plan.actions.append(.kill(KillOrder(id: container.id, name: container.name, why: why)))
    }

    // MARK: end

    private var activeDeadline: WallTime? {
        guard let seconds = pod.spec.activeDeadlineSeconds, let first = snapshot.sandboxes.last else { return nil }
        return first.createdAt + .seconds(seconds)
    }

    /// Nothing will run again: the sidecars and the sandbox stop, their remains stay for whoever asks.
    private mutating func finish(_ why: KillOrder.Why) {
        plan.isFinished = true
        plan.actions.removeAll { if case .start = $0 { true } else { false } }
        let stop = StopPlanner(pod: pod, graceSeconds: nil, snapshot: snapshot, memory: memory, why: why)
        plan.actions += stop.kills()
        guard !snapshot.containers.contains(where: \.mayRun), memory.busy.allSatisfy({ $0 == .tidy }) else { return }
        if let left = snapshot.sandboxes.first(where: { $0.isReady || !memory.stopped.contains($0.id) }) {
            plan.actions.append(.stopSandbox(left.id))
        }
    }

    // MARK: tidy

    /// Of each container the one before the newest stays for `logs -p`; an old sandbox goes when it holds nothing.
    private mutating func tidy(current: String?) {
        guard !memory.busy.contains(.tidy) else { return }
        var surplus: [String] = []
        var seen: [String: Int] = [:]
        var newest: Set<String> = []
        for container in snapshot.containers {
            let isNewest = newest.insert(container.name).inserted
            guard container.state == .exited || (container.state == .created && !isNewest) else { continue }
            if isNewest { continue }
            seen[container.name, default: 0] += 1
            if seen[container.name, default: 0] > 1, !memory.busy.contains(.container(container.name)) {
                surplus.append(container.id)
            }
        }
        if !surplus.isEmpty { return plan.actions.append(.remove(containers: surplus)) }
        let empty = snapshot.sandboxes.dropFirst().first { sandbox in
            !sandbox.isReady && sandbox.id != current && !snapshot.containers.contains { $0.sandbox == sandbox.id }
        }
        if let empty { plan.actions.append(.removeSandbox(empty.id)) }
    }
}
