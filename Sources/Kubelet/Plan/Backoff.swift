/// The wait between two tries: doubled with each, forgotten after a quiet time.
///
/// The kubelet's rule for restarts: the first is immediate, then 10 s, 20 s, … 5 min after the container's end; ten
/// minutes without trouble start it over.
struct Backoff: Sendable, Hashable {
    static let initialDelay = Duration.seconds(10)
    static let longestDelay = Duration.seconds(300)

    private(set) var delay: Duration
    private(set) var lastStep: WallTime

    /// The first step.
    init(at now: WallTime) {
        delay = Self.initialDelay
        lastStep = now
    }

    /// Until when an event at `since` has to wait.
    func end(since: WallTime) -> WallTime {
        isForgotten(since) ? since : since + delay
    }

    /// Takes the next step because of an event at `since`.
    mutating func step(since: WallTime, now: WallTime) {
        delay = isForgotten(since) ? Self.initialDelay : min(delay * 2, Self.longestDelay)
        lastStep = now
    }

    private func isForgotten(_ event: WallTime) -> Bool { event - lastStep > Self.longestDelay * 2 }
}

extension Optional where Wrapped == Backoff {
    /// Takes the first or the next step.
    mutating func step(since: WallTime, now: WallTime) {
        if self == nil { self = Backoff(at: now) } else { self?.step(since: since, now: now) }
    }
}
