import CRI
import KubeTypes
import Logging

/// Doing what the plan says.
extension PodWorker {
    func launch(_ action: PodAction, _ seen: PodSnapshot) {
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
        } catch  where Task.isCancelled && wish.isStop {
            // Broken off by us, and that is what its error says in its own words.
            logger.debug("A step was broken off", metadata: ["step": "\(action.description)", "error": "\(error)"])
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
                    "A step failed and is tried again",
                    metadata: ["step": "\(action.description)", "error": "\(failure.message)"])
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
}
