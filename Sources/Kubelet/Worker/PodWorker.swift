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

    let hands: PodHands
    let observer: PodObserver
    let clock: any NodeClock
    let logger: Logger
    /// Every container has ended and none will be started again.
    let whenFinished: @Sendable () async -> Void
    let whenGone: @Sendable () async -> Void
    let notDone: [String]

    var wish: PodWish
    var memory = PodMemory()
    var snapshot: PodSnapshot?
    var plan = PodPlan()
    var status: PodStatus?
    let bornAt: WallTime
    private var stoppedAt: WallTime?

    private var isTurning = false
    private var turnAgain = false
    private var isGone = false
    /// Counts finished hands and changed wishes: a look begun before is stale.
    var generation = 0
    var tasks: [Hand: (action: PodAction, task: Task<Void, Never>)] = [:]
    var failures: [Hand: Int] = [:]
    private var lookFailures = 0
    private var timer: Task<Void, Never>?
    var probes: [ProbeKey: Task<Void, Never>] = [:]
    var prefetched: [String: Task<Result<ImageDesk.Found, ImageDesk.Missing>, Never>] = [:]
    var told: [String: String] = [:]
    var wasReady = false

    struct ProbeKey: Hashable {
        var container: String
        var kind: ProbeKind
    }

    init(
        uid: String, fullName: String, wish: PodWish, notDone: [String], hands: PodHands,
        whenFinished: @escaping @Sendable () async -> Void = {}, whenGone: @escaping @Sendable () async -> Void
    ) {
        self.uid = uid
        self.fullName = fullName
        self.wish = wish
        self.notDone = notDone
        self.hands = hands
        self.whenFinished = whenFinished
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
        memory.isOver = false
        memory.definitions = Self.definitions(wish)
        generation += 1
        wake()
    }

    /// The pod is to end. Starts under way are broken off.
    func stop(graceSeconds: Int64? = nil) {
        guard !wish.isStop else { return }
        wish = .stop(wish.pod, graceSeconds: graceSeconds)
        stoppedAt = clock.now
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
        if let stoppedAt { whole.metadata.deletionTimestamp = stoppedAt.time }
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
        if !plan.actions.isEmpty {
            logger.debug("Plan", metadata: ["plan": "\(plan.actions.map(\.description).joined(separator: "; "))"])
        }
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
            let reason =
                container.reason.isEmpty ? (container.exitCode == 0 ? "Completed" : "Error") : container.reason
            logger.info(
                "Container has ended",
                metadata: [
                    "container": "\(container.name)", "id": "\(container.id.prefix(13))",
                    "code": "\(container.exitCode)", "reason": "\(reason)",
                ])
            hands.report(.exited(container: container.name, code: container.exitCode, reason: reason))
        }
        snapshot = seen
        let living = Set(seen.containers.filter { $0.state == .running }.map(\.id))
        memory.probes = memory.probes.filter { living.contains($0.key) }
        let sandboxes = Set(seen.sandboxes.map(\.id))
        memory.stopped.formIntersection(sandboxes)
    }

    private static func definitions(_ wish: PodWish) -> [String: String] {
        let containers = wish.pod?.allContainers ?? []
        return Dictionary(containers.map { ($0.name, $0.definitionHash) }) { $1 }
    }
}
