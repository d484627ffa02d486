import KubeTypes

/// Which of a container's probes.
enum ProbeKind: Sendable, Hashable {
    case startup
    case liveness
    case readiness
}

/// Asks one container's one probe again and again, and tells when what it has come to changes.
struct ProbeLoop: Sendable {
    let kind: ProbeKind
    let probe: Probe
    let target: ProbeTarget
    let containerID: String
    let startedAt: WallTime
    let prober: Prober
    let clock: any NodeClock

    /// Runs until cancelled, or until there is nothing more to learn: a startup probe that has succeeded, a liveness or
    /// startup probe that has failed (the container is killed for it).
    func run(_ tell: @Sendable (Bool, String) async -> Void) async {
        var count = ProbeCount(kind: kind, probe: probe)
        do {
            try await clock.sleep(until: startedAt + .seconds(max(0, probe.initialDelaySeconds)))
            while !Task.isCancelled {
                let outcome = await prober.ask(
                    target, containerID: containerID, within: .seconds(max(1, probe.timeoutSeconds)))
                try Task.checkCancellation()
                if let (verdict, message) = count.take(outcome) {
                    await tell(verdict, message)
                    if kind == .startup || (kind == .liveness && !verdict) { return }
                }
                try await clock.sleep(for: .seconds(max(1, probe.periodSeconds)))
            }
        } catch {
            return  // cancelled: the container has ended or the kubelet does
        }
    }
}

/// Counts answers against a probe's thresholds. Pure.
struct ProbeCount: Sendable, Hashable {
    let kind: ProbeKind
    let failureThreshold: Int
    let successThreshold: Int
    private var verdict: Bool?
    private var last: Bool?
    private var run = 0

    init(kind: ProbeKind, probe: Probe) {
        self.kind = kind
        failureThreshold = max(1, probe.failureThreshold)
        successThreshold = max(1, probe.successThreshold)
        // A container lives and is not ready until its probe says otherwise.
        verdict = kind == .liveness ? true : kind == .readiness ? false : nil
    }

    /// The new verdict, when this answer changes it.
    mutating func take(_ outcome: ProbeOutcome) -> (Bool, String)? {
        let (answer, message): (Bool, String)
        switch outcome {
        case .unknown: return nil
        case .success(let text): (answer, message) = (true, text)
        case .failure(let text): (answer, message) = (false, text)
        }
        run = last == answer ? run + 1 : 1
        last = answer
        guard run >= (answer ? successThreshold : failureThreshold), verdict != answer else { return nil }
        verdict = answer
        return (answer, message)
    }
}
