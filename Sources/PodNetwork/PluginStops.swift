import Linux
import Synchronization

/// Ends one run of a program early.
final class PluginStop: Sendable {
    let event: EventDescriptor

    init() throws(SystemError) { event = try EventDescriptor() }

    func signal() { event.wake() }
}

/// The runs under way, so that none of them outlives the node as somebody's orphan.
final class PluginStops: Sendable {
    private struct State {
        var isOver = false
        var stops: [ObjectIdentifier: PluginStop] = [:]
    }

    private let state = Mutex(State())

    /// False once everything was stopped: no program starts any more.
    func add(_ stop: PluginStop) -> Bool {
        state.withLock { state in
            if !state.isOver { state.stops[ObjectIdentifier(stop)] = stop }
            return !state.isOver
        }
    }

    func remove(_ stop: PluginStop) { state.withLock { $0.stops[ObjectIdentifier(stop)] = nil } }

    /// Ends every run, and lets none begin.
    func stopAll() {
        let stops = state.withLock { state in
            state.isOver = true
            return Array(state.stops.values)
        }
        for stop in stops { stop.signal() }
    }
}
