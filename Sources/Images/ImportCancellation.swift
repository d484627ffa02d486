import Synchronization

/// Asks an import or a pull to stop, wherever it is.
final class ImportCancellation: Sendable {
    private struct State {
        var isCancelled = false
        var steps: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func cancel() {
        let steps = state.withLock { state in
            state.isCancelled = true
            defer { state.steps = [] }
            return state.steps
        }
        for step in steps { step() }
    }

    /// Has `step` done when it's cancelled; at once, when it was already.
    func whenCancelled(_ step: @escaping @Sendable () -> Void) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.steps.append(step) }
            return state.isCancelled
        }
        if isCancelled { step() }
    }

    func check() throws(ImportFailure) {
        if isCancelled { throw .cancelled }
    }
}
