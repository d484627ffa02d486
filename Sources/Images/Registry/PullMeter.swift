import Synchronization

/// Counts what a pull's layers have brought, from whichever thread, and tells of it, not oftener than is worth while.
final class PullMeter: Sendable {
    private struct State {
        var progress: ImageProgress
        var reported: UInt64 = 0
    }

    private let state: Mutex<State>
    private let report: @Sendable (ImageProgress) -> Void

    init(_ layers: [PullPlan.Layer], report: @escaping @Sendable (ImageProgress) -> Void) {
        let total = layers.reduce(0) { $0 + $1.size }
        state = Mutex(State(progress: ImageProgress(stage: .pulling, layers: layers.count, totalBytes: total)))
        self.report = report
    }

    func read(_ count: UInt64) {
        let due: ImageProgress? = state.withLock { state in
            state.progress.bytes += count
            guard state.progress.bytes - state.reported >= 1 << 20 else { return nil }
            state.reported = state.progress.bytes
            return state.progress
        }
        if let due { report(due) }
    }

    /// - Parameter skipped: bytes that didn't have to be fetched
    func finishLayer(skipped: UInt64 = 0) {
        let now = state.withLock { state in
            state.progress.layer += 1
            state.progress.bytes += skipped
            state.reported = state.progress.bytes
            return state.progress
        }
        report(now)
    }
}
