import CRI
import Logging
import ShimClient
import ShimProtocol

extension Engine {
    /// Starts a created container; one that runs already is success.
    ///
    /// When the process can't be started the container has exited, code 128 and reason `StartError`, and the error has
    /// the OCI runtime's own words.
    public func startContainer(
        _ request: CRIStartContainerRequest
    ) async throws(CRIError) -> CRIStartContainerResponse {
        let entry = try container(request.containerID)
        let name = describe(entry.record)
        let connection = sandboxes[entry.record.sandbox]?.connection ?? 0
        do {
            try await Blocking.$lane.withValue(entry.record.sandbox.text) {
                try await entry.turnstile.pass { try await start(entry.record.id, name: name) }
            }
            return CRIStartContainerResponse()
        } catch {
            if let failure = error as? ShimFailure, failure.code == .disconnected || failure.code == .noAnswer {
                // Whoever hears of the failure sees what became of the pod.
                await settleShim(of: entry.record.sandbox, connection)
            }
            throw Failure.translate(error, "\(name): start")
        }
    }

    private func start(_ id: ContainerID, name: String) async throws {
        guard let record = containers[id]?.record else { throw CRIError(.notFound, "it was removed meanwhile") }
        switch record.stage {
        case .running: return
        case .created: break
        default:
            throw CRIError(.failedPrecondition, "the container has \(record.stage.rawValue), it can't start again")
        }
        guard let sandbox = sandboxes[record.sandbox], sandbox.record.stage == .ready else {
            throw CRIError(.failedPrecondition, "the pod sandbox is not ready")
        }
        let shim = try shim(of: record.sandbox, for: name)
        try await hookStart(id)
        try await change(id) { $0.stage = .starting }
        containers[id]?.isStarting = true
        var watch = StepWatch()
        do {
            try await reachedOrLeft(.startRecorded)
            guard sandboxes[record.sandbox]?.record.stage == .ready else {
                throw CRIError(.failedPrecondition, "the pod sandbox stopped meanwhile")
            }
            let pid = try await shim.create(createRequest(record, logDirectory: sandbox.record.config.logDirectory))
            watch.lap("create")
            note(id) { $0.pid = pid }
            if let early = containers[id]?.earlyEnd, early.pid == pid { containerEnded(id, early) }
            containers[id]?.earlyEnd = nil
            try await reachedOrLeft(.processCreated)
            try await shim.start(id.text, deadline: configuration.stepDeadline)
            watch.lap("start")
            try await reachedOrLeft(.processStarted)
        } catch {
            // Whatever became of the caller.
            let wasLeft = Task.isCancelled
            await Task {
                await startFailed(id, error, wasLeft: wasLeft)
                startTold(id)
            }.value
            if wasLeft { throw CancellationError() }
            throw error
        }
        // A short process may have ended by now, and its exit been heard.
        if containers[id]?.record.stage == .starting {
            note(id) { record in
                record.stage = .running
                record.startedAtNanoseconds = wallClockNanoseconds()
            }
        }
        logger.debug("container started", metadata: ["container": "\(id.short)", "name": "\(name)", "ms": "\(watch)"])
        announce(container: id, .containerStartedEvent)
        hookStarted(id)
        startTold(id)
        await containers[id]?.startHook?.value
    }

    /// From now on its end may be told; it may have been before it was started for all to see.
    private func startTold(_ id: ContainerID) {
        containers[id]?.isStarting = false
        tellEnd(id)
    }

    private func createRequest(_ record: ContainerRecord, logDirectory: String) -> CreateRequest {
        let config = record.config
        let pidMode = config.linux.securityContext.namespaceOptions.pid
        return CreateRequest(
            id: record.id.text, bundle: places.bundle(record.id),
            log: record.logPath.isEmpty
                ? nil : LogPlace(directory: logDirectory, path: config.logPath, limit: configuration.logLimit),
            terminal: config.tty, stdin: config.stdin, stdinOnce: config.stdinOnce,
            privatePIDNamespace: pidMode == .container, restore: checkpointImages(of: record),
            deadlineMilliseconds: configuration.stepDeadline.wholeMilliseconds)
    }

    /// Takes away what the shim has of it. A start that nobody waits for any more can be tried again; one that failed has
    /// ended the container.
    private func startFailed(_ id: ContainerID, _ error: any Error, wasLeft: Bool) async {
        guard let record = containers[id]?.record else { return }
        if (error as? ShimFailure)?.code == .noAnswer {
            // One that hangs is found out, and ended, before anything waits for it for longer.
            _ = await tryWith(shimOf: record.sandbox) { shim throws(ShimFailure) in _ = try await shim.info() }
        }
        if wasLeft { containers[id]?.isTakenBack = true }
        defer { containers[id]?.isTakenBack = false }
        // Without a shim there is nothing left: removing the container, or its pod, sees to the rest.
        let isGone = await tryWith(shimOf: record.sandbox) { shim throws(ShimFailure) in
            try await shim.delete(id.text, force: true, deadline: configuration.stepDeadline)
        }
        guard containers[id]?.record.stage == .starting else { return }
        if isGone, wasLeft {
            note(id) { record in
                record.stage = .created
                record.pid = 0
            }
            return
        }
        note(id) { record in
            record.stage = .exited
            record.pid = 0
            record.exitCode = 128
            record.reason = "StartError"
            record.message = "\(error)"
            // A start that never was: the epoch, as others report it.
            record.startedAtNanoseconds = 0
            record.finishedAtNanoseconds = wallClockNanoseconds()
        }
        containers[id]?.ended.open()
    }
}
