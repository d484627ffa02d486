import Synchronization

/// The path that somebody is just looking at, for whoever gives up waiting for them.
final class Whereabouts: Sendable {
    private let current = Mutex("")

    var path: String {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
