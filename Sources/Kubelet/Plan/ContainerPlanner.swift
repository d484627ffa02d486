import KubeTypes

/// Decides about the containers of a pod whose sandbox stands.
struct ContainerPlanner {
    enum Outcome {
        case goesOn
        /// Every container has ended and none starts again, or an init container failed for good.
        case nothingLeft
    }

    let pod: Pod
    let sandbox: String
    let snapshot: PodSnapshot
    let memory: PodMemory
    let now: WallTime
    var plan: PodPlan

    mutating func run() -> Outcome {
        switch initialise() {
        case .waits: return .goesOn
        case .failed: return .nothingLeft
        case .done: break
        }
        var kept = 0
        for container in pod.spec.containers where keeps(container, isInit: false) { kept += 1 }
        return kept == 0 ? .nothingLeft : .goesOn
    }

    // MARK: init containers

    private enum Initialisation {
        case done
        case waits
        case failed
    }

    private mutating func initialise() -> Initialisation {
        let inits = pod.spec.initContainers
        guard !inits.isEmpty else { return .done }
        let isInitialised = pod.spec.containers.contains { snapshot.latest($0.name, in: sandbox) != nil }
        // A later one that was made proves that the earlier ones are through, even when their remains are gone.
        let furthest = inits.lastIndex { snapshot.latest($0.name, in: sandbox) != nil } ?? -1
        for (index, container) in inits.enumerated() {
            let isPast = isInitialised || index < furthest
            if container.isSidecar {
                _ = keeps(container, isInit: true)
                if !isPast, !hasStarted(container) { return .waits }
                continue
            }
            if isPast { continue }
            guard let latest = snapshot.latest(container.name, in: sandbox) else {
                _ = keeps(container, isInit: true)
                return .waits
            }
            if latest.state == .exited, latest.exitCode == 0 { continue }
            if latest.state == .exited, pod.spec.restartPolicy == .never { return .failed }
            _ = keeps(container, isInit: true)
            return .waits
        }
        return .done
    }

    /// It runs, and its startup probe, if it has one, has succeeded.
    private func hasStarted(_ container: Container) -> Bool {
        guard let latest = snapshot.latest(container.name, in: sandbox), latest.state == .running else { return false }
        return container.startupProbe == nil || memory.probes[latest.id]?.startup == true
    }

    // MARK: one container

    /// Plans for one container; true when it runs, or will.
    private mutating func keeps(_ container: Container, isInit: Bool) -> Bool {
        guard !memory.busy.contains(.container(container.name)) else { return true }
        guard let latest = snapshot.latest(container.name, in: sandbox) else {
            // It has run in an earlier sandbox: a plain init container runs again, the others by their policy.
            if let earlier = snapshot.latest(container.name), !isInit, !restarts(container, after: earlier) {
                return false
            }
            start(container, after: snapshot.latest(container.name))
            return true
        }
        switch latest.state {
        case .running:
            judge(container, latest, isInit: isInit)
            return true
        case .unknown:
            kill(latest, .unknownState)
            return true
        case .created:
            startCreated(container, latest)
            return true
        case .exited:
            guard isInit || restarts(container, after: latest) else { return false }
            start(container, after: latest)
            return true
        }
    }

    private func restarts(_ container: Container, after latest: ContainerFact) -> Bool {
        if latest.state != .exited || changed(container, latest) || container.isSidecar { return true }
        if pod.spec.restartPolicy == .never { return false }
        return pod.spec.restartPolicy != .onFailure || latest.exitCode != 0
    }

    private func changed(_ container: Container, _ fact: ContainerFact) -> Bool {
        guard let wanted = memory.definitions[container.name], !fact.hash.isEmpty else { return false }
        return fact.hash != wanted
    }

    private mutating func judge(_ container: Container, _ fact: ContainerFact, isInit: Bool) {
        let verdicts = memory.probes[fact.id]
        if changed(container, fact), !isInit || container.isSidecar {
            kill(fact, .definitionChanged)
        } else if verdicts?.startup == false {
            kill(fact, .startup(verdicts?.startupMessage ?? ""), container.startupProbe?.terminationGracePeriodSeconds)
        } else if verdicts?.liveness == false {
            kill(
                fact, .liveness(verdicts?.livenessMessage ?? ""),
                container.livenessProbe?.terminationGracePeriodSeconds)
        }
    }

    private mutating func kill(_ fact: ContainerFact, _ why: KillOrder.Why, _ graceSeconds: Int64? = nil) {
        plan.actions.append(.kill(KillOrder(id: fact.id, name: fact.name, why: why, graceSeconds: graceSeconds)))
    }

    // MARK: start

    private mutating func startCreated(_ container: Container, _ fact: ContainerFact) {
        guard !waitsForTrouble(container.name) else { return }
        var order = StartOrder(name: container.name, sandbox: sandbox, attempt: fact.restartCount)
        if memory.troubles[container.name]?.container == fact.id || changed(container, fact) {
            order.replaces = fact.id
            order.attempt = fact.restartCount + 1
        } else {
            order.created = fact.id
        }
        plan.actions.append(.start(order))
    }

    private mutating func start(_ container: Container, after previous: ContainerFact?) {
        if let previous, previous.state == .exited, let backoff = memory.restarts[container.name] {
            let end = backoff.end(since: previous.finishedAt)
            if end > now {
                plan.look(at: end)
                plan.waiting[container.name] = Waiting(
                    reason: "CrashLoopBackOff",
                    message: "back-off \(backoff.delay.text) restarting failed container=\(container.name) "
                        + "pod=\(pod.metadata.name)_\(pod.metadata.namespace)(\(pod.metadata.uid))")
                return
            }
        }
        guard !waitsForTrouble(container.name) else { return }
        let end = previous.flatMap { $0.state == .exited ? $0.finishedAt : nil }
        plan.actions.append(
            .start(
                StartOrder(
                    name: container.name, sandbox: sandbox, attempt: previous.map { $0.restartCount + 1 } ?? 0,
                    previousEnd: end)))
    }

    private mutating func waitsForTrouble(_ name: String) -> Bool {
        guard let trouble = memory.troubles[name], trouble.retryAt > now else { return false }
        plan.look(at: trouble.retryAt)
        plan.waiting[name] = Waiting(reason: trouble.waitingReason, message: trouble.message)
        return true
    }
}

extension Duration {
    /// As Go prints a duration of whole seconds: 10s, 2m40s, 5m0s.
    var text: String {
        let seconds = components.seconds
        return seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
    }
}
