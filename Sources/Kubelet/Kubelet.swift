import CRI
import KubeTypes
import Linux
import Logging
import ServiceLifecycle

/// The node agent: manifests in, pods run through the CRI, and what became of them out.
///
/// It merges what the manifests ask for and gives each pod to a ``PodWorker``; news from the runtime goes to the worker
/// of the pod that it is about. Nothing here is kept on disk: the next start looks at the runtime and goes on.
public actor Kubelet: Service {
    /// Every pod's steps as they happen. One consumer; the newest thousand are kept for a slow one.
    public nonisolated let progress: AsyncStream<PodProgress>

    private let configuration: KubeletConfiguration
    private let runtime: any RuntimeService
    private let images: any ImageService
    private let logger: Logger
    private let clock: any NodeClock
    private let imagesSettled: @Sendable () async -> Void
    private let node: NodeFacts
    private let gate: StartGate
    private let steps: AsyncStream<PodProgress>.Continuation

    private var cgroups: (any PodCgroups)?
    private var workers: [String: PodWorker] = [:]
    private var wishes: [String: WishedPod] = [:]
    /// What was wished for when everything was stopped: how to stop it properly.
    private var lastWishes: [String: WishedPod] = [:]
    private var refused: [ManifestRefusal] = []
    private var owners: [String: String] = [:]
    /// By uid, of the pods that have a worker and are not over.
    private var hostPorts: [String: [HostPort]] = [:]
    /// Why a wish has no worker because of another pod's ports; by uid.
    private var portConflicts: [String: String] = [:]
    private var firstSeen: [String: WallTime] = [:]
    private var marks: [String: Set<String>] = [:]
    /// What the runtime held at the start, until the manifests have been read once.
    private var found = RuntimeSurvey()
    private var manifestVersion = 0
    private var isStoppingAll = false
    private var isRunning = false
    private var idleWaiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0

    /// - Parameters:
    ///   - runtime: the engine in process, or a client of another CRI runtime
    ///   - clock: the tests' own, or the machine's
    ///   - imagesSettled: returns once the node has imported what lay in its images directory at its start
    public init(
        configuration: KubeletConfiguration,
        runtime: any RuntimeService,
        images: any ImageService,
        logger: Logger,
        clock: any NodeClock = SystemClock(),
        imagesSettled: @escaping @Sendable () async -> Void = {}
    ) {
        self.imagesSettled = imagesSettled
        self.configuration = configuration
        self.runtime = runtime
        self.images = images
        self.logger = logger
        self.clock = clock
        node = NodeFacts.ofThisMachine()
        gate = StartGate(limit: max(4, Int(node.processorMillis / 500)), clock: clock)
        (progress, steps) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1000))
    }

    /// Runs until cancelled or gracefully shut down. Pods go on running: the next start adopts them.
    ///
    /// - Throws: what makes a start senseless: directories that can't be made, no cgroups, no inotify instance left
    public func run() async throws {
        try prepare()
        isRunning = true
        defer { isRunning = false }
        let source = ManifestSource(
            directory: configuration.manifests, clock: clock, logger: logger,
            told: { [weak self] version, files in await self?.manifestsChanged(version, files) })
        let watch = RuntimeWatch(
            runtime: runtime, clock: clock, logger: logger,
            ears: RuntimeWatch.Ears(
                pod: { [weak self] uid in await self?.wake(uid) },
                everything: { [weak self] in await self?.survey() }))
        do {
            try await cancelWhenGracefulShutdown { [self] in
                try await meetRuntime()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await source.run() }
                    group.addTask { await watch.run() }
                    group.addTask { await self.surveyNowAndThen() }
                    try await group.waitForAll()
                }
            }
        } catch is CancellationError {
            // Asked to end: that is no failure.
        }
        if !isStoppingAll {
            for worker in workers.values { await worker.letGo() }
            workers = [:]
        }
    }

    /// Stops every pod gracefully and removes all that was theirs; returns when nothing is left, or when cancelled. From
    /// then on manifests are ignored. Works while ``run()`` runs, and after it.
    public func stopAllPods() async {
        isStoppingAll = true
        lastWishes = wishes
        wishes = [:]
        do {
            if cgroups == nil {
                cgroups = try NodeCgroups(
                    root: configuration.cgroupRoot, makes: configuration.makesPodCgroups, isSystemd: false)
            }
            try await adoptStrangers(RuntimeSurvey.take(runtime, nodeName: configuration.nodeName))
        } catch {
            logger.error("The runtime can't be asked which pods are left", metadata: ["error": "\(error)"])
        }
        for worker in workers.values { await worker.stop() }
        guard !workers.isEmpty else { return }
        let id = nextWaiter
        nextWaiter += 1
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if workers.isEmpty || Task.isCancelled { continuation.resume() } else { idleWaiters[id] = continuation }
            }
        } onCancel: {
            Task { await self.giveUpWaiting(id) }
        }
    }

    private func giveUpWaiting(_ id: Int) { idleWaiters.removeValue(forKey: id)?.resume() }

    /// Tells that images came or went: pods that wait for one look again at once.
    public nonisolated func noticeImagesChanged() {
        Task { await imagesChanged() }
    }

    private func imagesChanged() async {
        for worker in workers.values { await worker.imagesChanged() }
    }

    /// Every pod with its status, by namespace and name.
    public func podStatuses() async -> [PodReport] {
        var reports: [PodReport] = []
        for worker in workers.values {
            if let report = await worker.report(file: wishes[worker.uid]?.file) { reports.append(report) }
        }
        for wish in wishes.values where workers[wish.pod.metadata.uid] == nil {
            let conflict = portConflicts[wish.pod.metadata.uid]
            let status = PodStatus(
                message: conflict ?? "waits until the pod that it replaces is gone", phase: .pending,
                qosClass: wish.pod.qosClass, reason: conflict == nil ? "Replacing" : "NodePorts")
            var pod = wish.pod
            pod.status = status
            reports.append(PodReport(pod: pod, status: status, file: wish.file, notDone: wish.notDone))
        }
        return reports.sorted { $0.pod.fullName < $1.pod.fullName }
    }

    /// Manifests that were refused, with their reasons, by file.
    public func refusals() async -> [ManifestRefusal] { refused }

    // MARK: start

    private func prepare() throws {
        try Directory.make(configuration.root + "/pods", mode: 0o750)
        for directory in [configuration.manifests, configuration.podLogs, configuration.containerLogs] {
            try Directory.make(directory, mode: 0o755)
        }
    }

    private func meetRuntime() async throws {
        let driver = try await waitForRuntime()
        cgroups = try NodeCgroups(
            root: configuration.cgroupRoot, makes: configuration.makesPodCgroups, isSystemd: driver == .systemd)
        found = try await RuntimeSurvey.take(runtime, nodeName: configuration.nodeName)
    }

    /// Waits until the runtime answers; its cgroup driver.
    private func waitForRuntime() async throws -> CRICgroupDriver {
        var failures = 0
        while true {
            do {
                _ = try await runtime.listPodSandbox(CRIListPodSandboxRequest())
                break
            } catch {
                if failures == 0 {
                    logger.warning("The runtime doesn't answer yet", metadata: ["error": "\(error.message)"])
                }
                failures += 1
                try await clock.sleep(for: .milliseconds(min(100 << min(failures, 6), 5000)))
            }
        }
        do {
            return try await runtime.runtimeConfig(CRIRuntimeConfigRequest()).linux.cgroupDriver
        } catch {
            return .cgroupfs  // runtimes before 1.28's CRI don't tell; cgroupfs is their default
        }
    }

    // MARK: manifests

    private func manifestsChanged(_ version: Int, _ files: [ManifestFile]) async {
        guard version > manifestVersion, !isStoppingAll else { return }
        let isFirst = manifestVersion == 0
        manifestVersion = version
        let now = clock.now
        let merge = ManifestMerge(files, nodeName: configuration.nodeName, owners: owners) { firstSeen[$0] ?? now }
        let before = wishes
        wishes = Dictionary(merge.pods.map { ($0.pod.metadata.uid, $0) }) { first, _ in first }
        owners = Dictionary(merge.pods.map { ($0.pod.fullName, $0.file) }) { first, _ in first }
        firstSeen = wishes.mapValues { firstSeen[$0.pod.metadata.uid] ?? now }
        portConflicts = portConflicts.filter { wishes[$0.key] != nil }
        for refusal in merge.refusals where !refused.contains(refusal) {
            for reason in refusal.reasons {
                logger.error("Manifest refused", metadata: ["file": "\(refusal.file)", "reason": "\(reason)"])
            }
            let text = refusal.reasons.joined(separator: "; ")
            tell("", refusal.file, "", .failed(container: nil, reason: "ManifestRefused", message: text))
        }
        refused = merge.refusals
        for wish in merge.pods where before[wish.pod.metadata.uid] == nil { accept(wish) }
        // Strangers first: a pod whose manifest has changed while nobody looked must be gone before its successor starts.
        if isFirst { await adoptStrangers(found) }
        await converge()
        if isFirst { await clearLeftovers() }
    }

    private func accept(_ wish: WishedPod) {
        let metadata = wish.pod.metadata
        logger.info(
            "Pod wanted", metadata: ["pod": "\(wish.pod.fullName)", "uid": "\(metadata.uid)", "file": "\(wish.file)"])
        tell(metadata.namespace, metadata.name, metadata.uid, .accepted(file: wish.file))
        if !wish.notDone.isEmpty {
            logger.warning(
                "Fields that are not done yet have no effect",
                metadata: ["pod": "\(wish.pod.fullName)", "fields": "\(wish.notDone.joined(separator: ", "))"])
            tell(metadata.namespace, metadata.name, metadata.uid, .notDone(fields: wish.notDone))
        }
        for warning in wish.warnings {
            logger.warning("Manifest", metadata: ["pod": "\(wish.pod.fullName)", "warning": "\(warning)"])
        }
    }

    /// Gives each wish a worker, and stops the workers that nobody wishes for. A pod whose name another one still has
    /// waits until that one is gone.
    private func converge() async {
        for (uid, worker) in workers where wishes[uid] == nil { await worker.stop() }
        for wish in wishesInOrder() {
            let metadata = wish.pod.metadata
            let uid = metadata.uid
            if let worker = workers[uid] {
                await worker.change(to: wish.pod)
                continue
            }
            guard wishes[uid] != nil, !workers.values.contains(where: { $0.fullName == wish.pod.fullName }),
                mayHaveItsPorts(wish), let cgroups
            else { continue }
            let worker = makeWorker(
                uid: uid, name: metadata.name, namespace: metadata.namespace, wish: .run(wish.pod),
                notDone: wish.notDone, cgroups)
            workers[uid] = worker
            hostPorts[uid] = HostPort.all(of: wish.pod)
            await worker.wake()
        }
    }

    /// Whoever runs already comes first, then whoever was wanted first: of two that want one port of the host, that one
    /// gets it.
    private func wishesInOrder() -> [WishedPod] {
        func rank(_ wish: WishedPod) -> (Int, WallTime, String) {
            let uid = wish.pod.metadata.uid
            return (found.pods[uid] == nil ? 1 : 0, firstSeen[uid] ?? clock.now, wish.pod.fullName)
        }
        return wishes.values.sorted { rank($0) < rank($1) }
    }

    /// False, and told once, while another pod has a port of the host that this one wants.
    private func mayHaveItsPorts(_ wish: WishedPod) -> Bool {
        let metadata = wish.pod.metadata
        for port in HostPort.all(of: wish.pod) {
            guard let holder = hostPorts.first(where: { $0.value.contains(where: port.excludes) })?.key else {
                continue
            }
            let name = workers[holder]?.fullName ?? holder
            let message = "host port \(port) is taken by pod \(name): this pod starts when that one is gone"
            if portConflicts.updateValue(message, forKey: metadata.uid) != message {
                logger.warning(
                    "Pod waits for a port of the host",
                    metadata: ["pod": "\(wish.pod.fullName)", "reason": "\(message)"])
                tell(
                    metadata.namespace, metadata.name, metadata.uid,
                    .failed(container: nil, reason: "NodePorts", message: message))
            }
            return false
        }
        portConflicts[metadata.uid] = nil
        return true
    }

    /// A pod whose containers have all ended needs its ports no more.
    private func finished(_ uid: String) async {
        guard let ports = hostPorts.removeValue(forKey: uid), !ports.isEmpty, !isStoppingAll else { return }
        await converge()
    }

    private func makeWorker(
        uid: String, name: String, namespace: String, wish: PodWish, notDone: [String], _ cgroups: any PodCgroups
    ) -> PodWorker {
        var logger = logger
        logger[metadataKey: "pod"] = "\(namespace)/\(name)"
        logger[metadataKey: "uid"] = "\(uid)"
        let hands = PodHands(
            configuration: configuration, runtime: runtime,
            images: ImageDesk(
                images: images, imagesDirectory: configuration.imagesDirectory, settled: imagesSettled),
            hooks: LifecycleHooks(
                runtime: runtime, clock: clock, nodeAddress: configuration.nodeAddresses.first ?? "127.0.0.1"),
            cgroups: cgroups, node: node, gate: gate, clock: clock, logger: logger,
            paths: PodPaths(configuration, namespace: namespace, name: name, uid: uid),
            report: { [steps, clock] step in
                steps.yield(PodProgress(namespace: namespace, name: name, uid: uid, step: step, at: clock.now))
            })
        return PodWorker(
            uid: uid, fullName: "\(namespace)/\(name)", wish: wish, notDone: notDone, hands: hands,
            whenFinished: { [weak self] in await self?.finished(uid) },
            whenGone: { [weak self] in await self?.gone(uid) })
    }

    private func gone(_ uid: String) async {
        workers[uid] = nil
        marks[uid] = nil
        hostPorts[uid] = nil
        if !isStoppingAll { await converge() }
        if workers.isEmpty {
            idleWaiters.values.forEach { $0.resume() }
            idleWaiters = [:]
        }
    }

    private func tell(_ namespace: String, _ name: String, _ uid: String, _ step: PodProgress.Step) {
        steps.yield(PodProgress(namespace: namespace, name: name, uid: uid, step: step, at: clock.now))
    }

    // MARK: news

    private func wake(_ uid: String) async { await workers[uid]?.wake() }

    private func surveyNowAndThen() async {
        while !Task.isCancelled {
            do { try await clock.sleep(for: configuration.relistPeriod) } catch { return }  // cancelled
            await survey()
        }
    }

    /// Looks at everything in the runtime, wakes the workers of pods that have changed, and stops strangers.
    private func survey() async {
        do {
            let survey = try await RuntimeSurvey.take(runtime, nodeName: configuration.nodeName)
            for (uid, entry) in survey.pods where marks[uid] != entry.marks { await workers[uid]?.wake() }
            for uid in marks.keys where survey.pods[uid] == nil { await workers[uid]?.wake() }
            marks = survey.pods.mapValues(\.marks)
            if manifestVersion > 0 { await adoptStrangers(survey) }
        } catch {
            logger.warning("The runtime can't be surveyed", metadata: ["error": "\(error.message)"])
        }
    }

    /// Pods of this node whose manifest has gone while nobody looked are stopped; others' pods are left alone.
    private func adoptStrangers(_ survey: RuntimeSurvey) async {
        guard let cgroups else { return }
        for entry in survey.pods.values where entry.isOurs && workers[entry.uid] == nil && wishes[entry.uid] == nil {
            logger.info(
                "A pod without a manifest is stopped",
                metadata: ["pod": "\(entry.namespace)/\(entry.name)", "uid": "\(entry.uid)"])
            let worker = makeWorker(
                uid: entry.uid, name: entry.name, namespace: entry.namespace,
                wish: .stop(lastWishes[entry.uid]?.pod, graceSeconds: nil), notDone: [], cgroups)
            workers[entry.uid] = worker
            await worker.wake()
        }
    }

    private func clearLeftovers() async {
        guard let cgroups else { return }
        let known = Set(found.pods.keys).union(workers.keys).union(wishes.keys)
        await Leftovers(configuration: configuration, cgroups: cgroups, logger: logger).clear(except: known)
    }
}
