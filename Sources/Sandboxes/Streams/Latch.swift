import Synchronization

/// Something that happens once, and that any number may wait for.
final class Latch: Sendable {
    private struct State {
        var open = false
        var next: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state = Mutex(State())

    var isOpen: Bool { state.withLock { $0.open } }

    func open() {
        let waiting = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            state.open = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume(returning: true) }
    }

    /// Returns once it is open, at once if it is.
    func wait() async throws(CancellationError) {
        let key = state.withLock { state -> UInt64 in
            state.next += 1
            return state.next
        }
        let opened = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Bool? in
                    if state.open { return true }
                    if Task.isCancelled { return false }
                    state.waiting[key] = continuation
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: key) }?.resume(returning: false)
        }
        if !opened { throw CancellationError() }
    }

    /// Waits at most `limit`: whether it is open.
    func wait(atMost limit: Duration) async -> Bool {
        if isOpen { return true }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await self.wait()) != nil }
            group.addTask {
                try? await Task.sleep(for: limit)  // Cancelled when the event was quicker.
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first || isOpen
        }
    }
}
