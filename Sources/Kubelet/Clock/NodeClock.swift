import Glibc

/// The node's time: what the kubelet reads and what it waits on, so that tests own both.
public protocol NodeClock: Sendable {
    /// The wall clock; CRI timestamps are compared with it.
    var now: WallTime { get }
    /// Waits until then, or throws `CancellationError` when the task is cancelled first. A time that is past is no wait.
    func sleep(until time: WallTime) async throws
}

extension NodeClock {
    /// Waits for so long, or throws `CancellationError` when the task is cancelled first.
    public func sleep(for duration: Duration) async throws { try await sleep(until: now + duration) }
}

/// The machine's own clock.
public struct SystemClock: NodeClock {
    public init() {}

    public var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    public func sleep(until time: WallTime) async throws {
        let duration = time - now
        guard duration > .zero else { return try Task.checkCancellation() }
        try await Task.sleep(for: duration, tolerance: min(duration / 20, .milliseconds(100)))
    }
}
