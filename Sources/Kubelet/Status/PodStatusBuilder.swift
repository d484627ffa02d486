import KubeTypes

/// A pod's status from what is wished, seen and remembered. Pure.
struct PodStatusBuilder {
    let pod: Pod
    let snapshot: PodSnapshot
    let memory: PodMemory
    let plan: PodPlan
    let nodeAddresses: [String]
    let notDone: [String]
    let now: WallTime
    /// The last one: for the times at which conditions changed.
    let previous: PodStatus?
    let startTime: WallTime
    var isStopping = false

    func build() -> PodStatus {
        // Whose remains were removed is told as it was.
        if memory.isOver, snapshot.containers.isEmpty, let previous { return previous }
        var status = PodStatus()
        let inits = pod.spec.initContainers.map { containerStatus($0, isInit: true) }
        let mains = pod.spec.containers.map { containerStatus($0, isInit: false) }
        status.initContainerStatuses = inits
        status.containerStatuses = mains
        status.phase = phase(inits, mains)
        status.qosClass = pod.qosClass
        status.startTime = startTime.time
        status.hostIP = nodeAddresses.first ?? ""
        status.hostIPs = nodeAddresses.map { HostIP(ip: $0) }
        let addresses = pod.spec.hostNetwork ? nodeAddresses : current?.addresses ?? []
        if current != nil {
            status.podIP = addresses.first ?? ""
            status.podIPs = addresses.map { PodIP(ip: $0) }
        } else if let previous {
            // A pod that has ended keeps the address that it had.
            (status.podIP, status.podIPs) = (previous.podIP, previous.podIPs)
        }
        if let trouble = memory.sandboxTrouble, current == nil {
            status.message = trouble.message
            status.reason = trouble.reason
        }
        if deadlineHasPassed {
            status.phase = .failed
            status.reason = "DeadlineExceeded"
            status.message = "Pod was active on the node longer than the specified deadline"
        }
        status.conditions = conditions(status, inits, mains)
        return status
    }

    private var current: SandboxFact? { snapshot.sandboxes.first.flatMap { $0.isReady ? $0 : nil } }

    private var deadlineHasPassed: Bool {
        guard let seconds = pod.spec.activeDeadlineSeconds, let first = snapshot.sandboxes.last else { return false }
        return first.createdAt + .seconds(seconds) <= now
    }

    // MARK: containers

    private func containerStatus(_ container: Container, isInit: Bool) -> ContainerStatus {
        var status = ContainerStatus(name: container.name, image: container.image)
        guard let latest = snapshot.latest(container.name) else {
            status.state.waiting = waiting(container, isInit: isInit)
            status.started = isInit && !container.isSidecar ? nil : false
            return status
        }
        status.containerID = latest.containerID
        status.imageID = latest.imageID
        if !latest.image.isEmpty { status.image = latest.image }
        status.restartCount = latest.restartCount
        switch latest.state {
        case .running:
            status.state.running = ContainerStateRunning(startedAt: latest.startedAt.time)
            status.started = container.startupProbe == nil || memory.probes[latest.id]?.startup == true
            if isInit && !container.isSidecar {
                status.ready = false
            } else {
                status.ready =
                    status.started == true
                    && (container.readinessProbe == nil || memory.probes[latest.id]?.readiness == true)
            }
        case .exited:
            let ended = terminated(latest)
            // A container that will run again waits; how it ended is its last state.
            if !plan.isFinished, !isStopping, let waiting = plan.waiting[container.name] {
                status.state.waiting = ContainerStateWaiting(message: waiting.message, reason: waiting.reason)
                status.lastState.terminated = ended
            } else {
                status.state.terminated = ended
            }
            status.ready = isInit && !container.isSidecar && latest.exitCode == 0
            status.started = false
        case .created, .unknown:
            status.state.waiting = waiting(container, isInit: isInit)
            status.started = false
        }
        if status.lastState.terminated == nil, let previous = snapshot.previous(container.name),
            previous.state == .exited
        {
            status.lastState.terminated = terminated(previous)
        }
        return status
    }

    private func waiting(_ container: Container, isInit: Bool) -> ContainerStateWaiting {
        if let waiting = plan.waiting[container.name] {
            return ContainerStateWaiting(message: waiting.message, reason: waiting.reason)
        }
        if let trouble = memory.troubles[container.name] {
            return ContainerStateWaiting(message: trouble.message, reason: trouble.reason)
        }
        // A pod that is over because an init container failed never came further than that.
        let waitsForInit = !isInit && !pod.spec.initContainers.isEmpty && (current != nil || plan.isFinished)
        if let trouble = memory.sandboxTrouble, current == nil {
            return ContainerStateWaiting(message: trouble.message, reason: "ContainerCreating")
        }
        return ContainerStateWaiting(
            reason: waitsForInit || (isInit && current != nil) ? "PodInitializing" : "ContainerCreating")
    }

    private func terminated(_ fact: ContainerFact) -> ContainerStateTerminated {
        ContainerStateTerminated(
            exitCode: Int(fact.exitCode), containerID: fact.containerID, finishedAt: fact.finishedAt.time,
            message: fact.message,
            reason: fact.reason.isEmpty ? (fact.exitCode == 0 ? "Completed" : "Error") : fact.reason,
            signal: 0, startedAt: fact.startedAt.time)
    }

    // MARK: phase

    private func phase(_ inits: [ContainerStatus], _ mains: [ContainerStatus]) -> PodPhase {
        let restart = pod.spec.restartPolicy
        for (container, status) in zip(pod.spec.initContainers, inits) {
            let ended = status.state.terminated ?? status.lastState.terminated
            if container.isSidecar {
                if status.started != true, !mains.contains(where: \.hasRun) { return .pending }
                continue
            }
            if mains.contains(where: \.hasRun) { break }
            guard let ended, status.state.running == nil else { return .pending }
            if ended.exitCode != 0 { return restart == .never ? .failed : .pending }
        }
        if mains.contains(where: { $0.state.running != nil }) { return .running }
        if mains.contains(where: { $0.state.terminated == nil && $0.lastState.terminated == nil }) {
            return mains.contains(where: \.hasRun) ? .running : .pending
        }
        if mains.contains(where: { $0.state.waiting != nil }) { return .running }
        let failures = mains.contains { $0.state.terminated.map { $0.exitCode != 0 } ?? false }
        switch restart {
        case .never: return failures ? .failed : .succeeded
        case .onFailure: return failures ? .running : .succeeded
        default: return .running
        }
    }

    // MARK: conditions

    private func conditions(
        _ status: PodStatus, _ inits: [ContainerStatus], _ mains: [ContainerStatus]
    ) -> [PodCondition] {
        var conditions: [PodCondition] = []
        func add(_ type: String, _ holds: Bool, _ reason: String = "", _ message: String = "") {
            let value: ConditionStatus = holds ? .true : .false
            let old = previous?.conditions.first { $0.type == type }
            let changed = old?.status == value ? old?.lastTransitionTime : nil
            conditions.append(
                PodCondition(
                    type: type, status: value, lastTransitionTime: changed ?? now.time,
                    message: holds ? "" : message, reason: holds ? "" : reason))
        }
        let isOver = status.phase == .succeeded || status.phase == .failed
        let pendingInits = zip(pod.spec.initContainers, inits).filter { container, status in
            container.isSidecar ? status.started != true : status.state.terminated?.exitCode != 0
        }.map(\.1.name)
        let isInitialised = pendingInits.isEmpty || mains.contains(where: \.hasRun) || status.phase == .succeeded
        let unready =
            zip(pod.spec.initContainers, inits).filter { $0.0.isSidecar && !$0.1.ready }.map(\.1.name)
            + mains.filter { !$0.ready }.map(\.name)
        let unreadyReason = status.phase == .succeeded ? "PodCompleted" : isOver ? "PodFailed" : "ContainersNotReady"
        let unreadyMessage = isOver ? "" : "containers with unready status: [\(unready.joined(separator: " "))]"
        let isReady = unready.isEmpty && !isOver && isInitialised
        add("PodReadyToStartContainers", current != nil, memory.sandboxTrouble?.reason ?? "", status.message)
        add(
            "Initialized", isInitialised, "ContainersNotInitialized",
            "containers with incomplete status: [\(pendingInits.joined(separator: " "))]")
        let gates = pod.spec.readinessGates.map(\.conditionType)
        add(
            "Ready", isReady && gates.isEmpty, isReady ? "ReadinessGatesNotReady" : unreadyReason,
            isReady
                ? gates.map { "corresponding condition of pod readiness gate \"\($0)\" does not exist." }
                    .joined(separator: " ") : unreadyMessage)
        add("ContainersReady", isReady, unreadyReason, unreadyMessage)
        add("PodScheduled", true)
        if !notDone.isEmpty {
            let old = previous?.conditions.first { $0.type == Self.notDoneCondition }
            conditions.append(
                PodCondition(
                    type: Self.notDoneCondition, status: .true, lastTransitionTime: old?.lastTransitionTime ?? now.time,
                    message: "not done yet, and without effect: \(notDone.joined(separator: ", "))",
                    reason: "FieldsNotDone"))
        }
        return conditions
    }

    /// The condition that names fields which are valid Kubernetes and have no effect here.
    static let notDoneCondition = "kubesim.io/FieldsNotDone"
}

extension ContainerStatus {
    /// It runs or has run.
    fileprivate var hasRun: Bool {
        state.running != nil || state.terminated != nil || lastState.terminated != nil
    }
}

extension ContainerFact {
    /// As Kubernetes writes it; the runtime's name is not asked for each status.
    var containerID: String { "cri://\(id)" }
}
