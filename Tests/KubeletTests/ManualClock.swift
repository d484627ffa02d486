import Kubelet
import Synchronization

/// A clock that stands still until a test moves it.
final class ManualClock: NodeClock {
    private struct Sleeper {
        var until: WallTime
        var wake: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: WallTime
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let state: Mutex<State>

    init(at seconds: Int64 = 1_700_000_000) {
        state = Mutex(State(now: WallTime(nanoseconds: seconds * 1_000_000_000)))
    }

    var now: WallTime { state.withLock { $0.now } }

    /// How many tasks wait for the time to come.
    var sleepers: Int { state.withLock { $0.sleepers.count } }

    func sleep(until time: WallTime) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (wake: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if time <= state.now { return .success(()) }
                    state.sleepers[id] = Sleeper(until: time, wake: wake)
                    return nil
                }
                if let result { wake.resume(with: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                if let sleeper = state.sleepers.removeValue(forKey: id) { return sleeper }
                state.cancelled.insert(id)
                return nil
            }
            sleeper?.wake.resume(throwing: CancellationError())
        }
    }

    /// Moves the time and wakes everybody whose time has come.
    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now + duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.until < $1.until }
        }
        for sleeper in due { sleeper.wake.resume() }
    }
}
