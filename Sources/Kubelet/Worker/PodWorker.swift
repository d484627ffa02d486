import CRI
import KubeTypes
import Logging

/// One pod: looks, plans, lets its hands do what the plan says, and looks again when something has happened.
///
/// Hands work side by side, one on the sandbox and one on each container; a plan is never made from a look that a
/// finished hand has overtaken.
actor PodWorker {
    nonisolated let uid: String
    nonisolated let fullName: String

    private let hands: PodHands
    private let observer: PodObserver
    private let clock: any NodeClock
    private let logger: Logger
    private let whenGone: @Sendable () async -> Void
    private let notDone: [String]

    private var wish: PodWish
    private var memory = PodMemory()
    private var snapshot: PodSnapshot?
    private var plan = PodPlan()
    private var status: PodStatus?
    private let bornAt: WallTime

    private var isTurning = false
    private var turnAgain = false
    private var isGone = false
    /// Counts finished hands and changed wishes: a look begun before is stale.
    private var generation = 0
    private var tasks: [Hand: (action: PodAction, task: Task<Void, Never>)] = [:]
    private var failures: [Hand: Int] = [:]
    private var lookFailures = 0
    private var timer: Task<Void, Never>?
    private var probes: [ProbeKey: Task<Void, Never>] = [:]
    private var prefetched: [String: Task<Result<ImageDesk.Found, ImageDesk.Missing>, Never>] = [:]
    private var told: [String: String] = [:]
    private var wasReady = false

    private struct ProbeKey: Hashable {
        var container: String
        var kind: ProbeKind
    }

    init(
        uid: String, fullName: String, wish: PodWish, notDone: [String], hands: PodHands,
        whenGone: @escaping @Sendable () async -> Void
    ) {
        self.uid = uid
        self.fullName = fullName
        self.wish = wish
        self.notDone = notDone
        self.hands = hands
        self.whenGone = whenGone
        observer = PodObserver(runtime: hands.runtime, uid: uid, paths: hands.paths)
        clock = hands.clock
        logger = hands.logger
        bornAt = hands.clock.now
        memory.definitions = Self.definitions(wish)
    }

    // MARK: from outside

    /// Something may have happened to the pod.
    func wake() {
        guard !isGone else { return }
        turnAgain = true
        guard !isTurning else { return }
        isTurning = true
        Task { await turns() }
    }

    /// The same pod is wanted otherwise: its uid was written in its manifest.
    func change(to pod: Pod) {
        guard !wish.isStop, wish.pod != pod else { return }
        wish = .run(pod)
        memory.definitions = Self.definitions(wish)
        generation += 1
        wake()
    }

    /// The pod is to end. Starts under way are broken off.
    func stop(graceSeconds: Int64? = nil) {
        guard !wish.isStop else { return }
        wish = .stop(wish.pod, graceSeconds: graceSeconds)
        generation += 1
        for (_, entry) in tasks {
            switch entry.action {
            case .start, .createSandbox: entry.task.cancel()
            default: break
            }
        }
        prefetched.values.forEach { $0.cancel() }
        hands.report(.stopping)
        wake()
    }

    /// Images have come or gone: those who wait for one look at once.
    func imagesChanged() {
        let now = clock.now
        var changed = false
        for (name, trouble) in memory.troubles where trouble.isAboutImage && trouble.retryAt > now {
            memory.troubles[name]?.retryAt = now
            changed = true
        }
        if changed { wake() }
    }

    var isStopping: Bool { wish.isStop }

    /// The pod with its status, as far as it is known.
    func report(file: String?) -> PodReport? {
        guard let pod = wish.pod else { return nil }
        var whole = pod
        whole.status = currentStatus(pod)
        return PodReport(pod: whole, status: whole.status, file: file, notDone: notDone)
    }

    /// Ends what runs here without touching the pod.
    func letGo() {
        isGone = true
        timer?.cancel()
        probes.values.forEach { $0.cancel() }
        prefetched.values.forEach { $0.cancel() }
        tasks.values.forEach { $0.task.cancel() }
    }

    // MARK: turns

    private func turns() async {
        while turnAgain, !isGone {
            turnAgain = false
            await turn()
        }
        isTurning = false
    }

    private func turn() async {
        let began = generation
        let seen: PodSnapshot
        do {
            seen = try await observer.look()
        } catch {
            lookFailures += 1
            if lookFailures == 1 {
                logger.error("The runtime can't be asked about the pod", metadata: ["error": "\(error.message)"])
            }
            return look(at: clock.now + .seconds(min(1 << min(lookFailures - 1, 5), 30)))
        }
        lookFailures = 0
        guard generation == began, !isGone else {
            turnAgain = true
            return
        }
        notice(seen)
        let now = clock.now
        plan = PodPlanner.plan(wish, seen, memory, now: now)
        if !plan.actions.isEmpty { logger.debug("Plan", metadata: ["actions": "\(plan.actions)"]) }
        for action in plan.actions where !memory.busy.contains(action.hand) { launch(action, seen) }
        reconcileProbes(seen)
        publish()
        timer?.cancel()
        timer = nil
        if let next = plan.nextLook { look(at: next) }
    }

    private func look(at time: WallTime) {
        timer?.cancel()
        timer = Task { [clock, weak self] in
            do { try await clock.sleep(until: time) } catch { return }  // cancelled: another look is planned
            await self?.wake()
        }
    }

    /// Tells what has changed since the last look.
    private func notice(_ seen: PodSnapshot) {
        if snapshot == nil, !wish.isStop, seen.containers.contains(where: \.mayRun) { hands.report(.adopted) }
        for container in seen.containers where container.state == .exited {
            guard let before = snapshot?.container(container.id), before.state != .exited else { continue }
            hands.report(
                .exited(
                    container: container.name, code: container.exitCode,
                    reason: container.reason.isEmpty
                        ? (container.exitCode == 0 ? "Completed" : "Error") : container.reason))
        }
        snapshot = seen
        let living = Set(seen.containers.filter { $0.state == .running }.map(\.id))
        memory.probes = memory.probes.filter { living.contains($0.key) }
        let sandboxes = Set(seen.sandboxes.map(\.id))
        memory.stopped.formIntersection(sandboxes)
    }

    // MARK: hands

    private func launch(_ action: PodAction, _ seen: PodSnapshot) {
        memory.busy.insert(action.hand)
        if case .start(let order) = action, let end = order.previousEnd {
            memory.restarts[order.name].step(since: end, now: clock.now)
        }
        if case .createSandbox(let attempt) = action, attempt > 0 {
            memory.sandboxRestarts.step(since: clock.now, now: clock.now)
        }
        tasks[action.hand] = (action, Task { await perform(action, seen) })
    }

    private func perform(_ action: PodAction, _ seen: PodSnapshot) async {
        do {
            try await apply(action, seen)
            failures[action.hand] = nil
        } catch is CancellationError {
            // The wish has changed: the next plan knows.
        } catch {
            await failed(action, error)
        }
        memory.busy.remove(action.hand)
        tasks[action.hand] = nil
        generation += 1
        wake()
    }

    private func apply(_ action: PodAction, _ seen: PodSnapshot) async throws {
        switch action {
        case .createSandbox(let attempt):
            guard let pod = wish.pod, !wish.isStop else { return }
            prefetch(pod, attempt)
            async let volumes: Void = hands.prepareVolumes(pod)
            try await hands.createSandbox(pod, attempt: attempt)
            memory.sandboxTrouble = nil
            // Its failure is the containers' to tell: they prepare again and say what is wrong.
            try? await volumes
        case .start(let order):
            guard let pod = wish.pod, !wish.isStop,
                let sandbox = seen.sandboxes.first(where: { $0.id == order.sandbox })
            else { return }
            let image = await prefetched.removeValue(forKey: order.name)?.value
            // What was missing when the sandbox was made may be there now: a failure is asked again.
            let found: Result<ImageDesk.Found, ImageDesk.Missing>? = if case .success? = image { image } else { nil }
            try await hands.start(order, pod, sandbox: sandbox, image: found)
            memory.troubles[order.name] = nil
            told[order.name] = nil
        case .kill(let order):
            guard let fact = seen.container(order.id) else { return }
            let addresses = seen.sandboxes.first { $0.id == fact.sandbox }?.addresses ?? []
            try await hands.kill(order, fact, wish.pod, addresses: addresses)
        case .stopSandbox(let id):
            try await hands.stopSandbox(id)
            memory.stopped.insert(id)
        case .removeSandbox(let id):
            try await hands.remove(sandbox: id)
        case .remove(let ids):
            for id in ids {
                try await hands.remove(container: id)
                if let fact = seen.container(id) { hands.removeLogs(fact) }
            }
        case .finish:
            try await hands.finish(uid: uid)
            letGo()
            logger.info("Pod is gone")
            hands.report(.gone)
            await whenGone()
        }
    }

    /// Looks for the first containers' images while the sandbox is made.
    private func prefetch(_ pod: Pod, _ attempt: UInt32) {
        let config = hands.sandboxConfig(pod, attempt: attempt)
        let first = pod.spec.initContainers.isEmpty ? pod.spec.containers : Array(pod.spec.initContainers.prefix(1))
        for container in first where prefetched[container.name] == nil {
            prefetched[container.name] = Task { [images = hands.images] in
                do throws(ImageDesk.Missing) {
                    return .success(try await images.get(container, sandbox: config))
                } catch {
                    return .failure(error)
                }
            }
        }
    }

    private func failed(_ action: PodAction, _ error: any Error) async {
        let failure =
            error as? HandFailure
            ?? HandFailure(reason: "Error", message: (error as? CRIError)?.message ?? "\(error)")
        switch action {
        case .createSandbox:
            memory.sandboxTrouble = trouble(memory.sandboxTrouble, failure)
            tell(nil, failure)
        case .start(let order):
            memory.troubles[order.name] = trouble(memory.troubles[order.name], failure)
            tell(order.name, failure)
        default:
            let count = failures[action.hand, default: 0] + 1
            failures[action.hand] = count
            if count == 1 {
                logger.error(
                    "A step failed and is tried again", metadata: ["step": "\(action)", "error": "\(failure.message)"])
                hands.report(.failed(container: nil, reason: "FailedKillPod", message: failure.message))
            }
            // The hand stays busy meanwhile: nothing else may be tried with it. Cancelled only when we are let go.
            try? await clock.sleep(for: .seconds(min(1 << min(count - 1, 5), 30)))
        }
    }

    private func trouble(_ before: Trouble?, _ failure: HandFailure) -> Trouble {
        let now = clock.now
        var backoff = before?.reason == failure.reason ? before?.backoff : nil
        backoff.step(since: now, now: now)
        let delay = backoff?.delay ?? Backoff.initialDelay
        var trouble = Trouble(
            reason: failure.reason, message: failure.message, retryAt: now + delay, waitingReason: failure.reason,
            isAboutImage: failure.isAboutImage, container: failure.container,
            backoff: backoff ?? Backoff(at: now))
        if failure.reason == "ErrImagePull" {
            trouble.waitingReason = "ImagePullBackOff"
            trouble.message = "Back-off pulling image: \(failure.message)"
        }
        return trouble
    }

    /// An error is told once, until it changes.
    private func tell(_ container: String?, _ failure: HandFailure) {
        let text = "\(failure.reason): \(failure.message)"
        guard told.updateValue(text, forKey: container ?? "") != text else { return }
        var metadata: Logger.Metadata = ["reason": "\(failure.reason)", "error": "\(failure.message)"]
        if let container { metadata["container"] = "\(container)" }
        logger.error("Pod waits", metadata: metadata)
        hands.report(.failed(container: container, reason: failure.reason, message: failure.message))
    }

    // MARK: probes

    private func reconcileProbes(_ seen: PodSnapshot) {
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

    // MARK: status

    private func currentStatus(_ pod: Pod) -> PodStatus {
        PodStatusBuilder(
            pod: pod, snapshot: snapshot ?? PodSnapshot(), memory: memory, plan: plan,
            nodeAddresses: hands.configuration.nodeAddresses, notDone: notDone, now: clock.now, previous: status,
            startTime: snapshot?.sandboxes.last?.createdAt ?? bornAt, isStopping: wish.isStop
        ).build()
    }

    private func publish() {
        guard let pod = wish.pod else { return }
        let before = status
        let new = currentStatus(pod)
        status = new
        if wish.isStop { return }
        let isReady = new.conditions.contains { $0.type == "Ready" && $0.status == .true }
        if isReady != wasReady { hands.report(isReady ? .ready : .unready) }
        wasReady = isReady
        for container in new.initContainerStatuses + new.containerStatuses {
            guard let waiting = container.state.waiting, waiting.reason == "CrashLoopBackOff" else { continue }
            let old = (before.map { $0.initContainerStatuses + $0.containerStatuses } ?? []).first {
                $0.name == container.name
            }
            if old?.state.waiting?.reason != waiting.reason {
                hands.report(.failed(container: container.name, reason: waiting.reason, message: waiting.message))
            }
        }
        if new.phase != before?.phase, new.phase == .succeeded || new.phase == .failed {
            logger.info("Pod has finished", metadata: ["phase": "\(new.phase.rawValue)"])
            hands.report(.finished(phase: new.phase.rawValue))
        }
    }

    private static func definitions(_ wish: PodWish) -> [String: String] {
        let containers = wish.pod?.allContainers ?? []
        return Dictionary(containers.map { ($0.name, $0.definitionHash) }) { $1 }
    }
}
