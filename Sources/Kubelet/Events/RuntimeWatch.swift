import CRI
import Logging

/// Which pods the runtime has news about: its own event stream, or where it has none a list each second.
struct RuntimeWatch: Sendable {
    /// What to do with the news.
    struct Ears: Sendable {
        /// Something happened to a pod.
        var pod: @Sendable (String) async -> Void
        /// Everything must be looked at.
        var everything: @Sendable () async -> Void
    }

    static let pollPeriod = Duration.seconds(1)

    let runtime: any RuntimeService
    let clock: any NodeClock
    let logger: Logger
    let ears: Ears

    /// Runs until cancelled.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let events = try await runtime.getContainerEvents(CRIGetEventsRequest())
                failures = 0
                // What happened before the stream stood is found by looking.
                await ears.everything()
                for try await event in events { await take(event) }
                if Task.isCancelled { return }
                logger.info("The runtime's event stream has ended and is opened again")
            } catch let error as CRIError where error.code == .unimplemented {
                logger.notice("The runtime has no event stream: its pods are listed each second")
                return await poll()
            } catch {
                if Task.isCancelled { return }
                if failures == 0 {
                    logger.warning("The runtime's event stream is broken", metadata: ["error": "\(error)"])
                }
                failures += 1
            }
            do { try await clock.sleep(for: .seconds(min(1 << min(failures, 5), 30))) } catch { return }  // cancelled
        }
    }

    private func poll() async {
        while !Task.isCancelled {
            await ears.everything()
            do { try await clock.sleep(for: Self.pollPeriod) } catch { return }  // cancelled
        }
    }

    private func take(_ event: CRIContainerEventResponse) async {
        // A container that was created is the worker's own doing: it looks when its hand has finished.
        if event.containerEventType == .containerCreatedEvent { return }
        let uid = event.podSandboxStatus.metadata.uid
        if uid.isEmpty { await ears.everything() } else { await ears.pod(uid) }
    }
}
