import Glibc
import Sandboxes
import Synchronization

/// Ends or stops this process once, right after a step of a pod's life, so that a test can see what the next one makes of it:
/// `KUBESIM_FAULT="kill@network attached"`, or `stop@…`.
///
/// Heard only by a node with a root of its own: at the standard one there is no way to it.
enum FaultHook {
    private enum Signal: String {
        case kill
        case stop

        var number: Int32 { self == .kill ? SIGKILL : SIGSTOP }
    }

    /// What the engine is to call after each step; nil when nothing is asked for.
    ///
    /// - Throws: ``NodeError`` for a text that means nothing.
    static func read(
        _ places: NodePlaces
    ) throws(NodeError) -> (@Sendable (EngineStep) async throws -> Void)? {
        guard places.root != NodePlaces.standardRoot, let value = getenv("KUBESIM_FAULT") else { return nil }
        let text = String(cString: value)
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        guard parts.count == 2, let signal = Signal(rawValue: parts[0]), let wanted = EngineStep(rawValue: parts[1])
        else {
            throw NodeError(
                "KUBESIM_FAULT=\(text): kill@STEP or stop@STEP, where STEP is one of "
                    + EngineStep.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let isSpent = Spent()
        return { step in
            guard step == wanted, isSpent.take() else { return }
            kill(getpid(), signal.number)
        }
    }

    private final class Spent: Sendable {
        private let state = Mutex(false)

        /// True once.
        func take() -> Bool {
            state.withLock { isSpent in
                defer { isSpent = true }
                return !isSpent
            }
        }
    }
}
