import CRI

/// Lets a few pods start at a time, so that each starts as fast as one alone: fifty at once would all be as late as the
/// last. Whoever has begun goes before whoever has not.
actor StartGate {
    /// What waits in line.
    enum Rank: Int, Sendable {
        /// A container whose sandbox stands.
        case container
        /// A new sandbox.
        case sandbox
    }

    private let limit: Int
    private let lease: Duration
    private let clock: any NodeClock
    private var inside: Set<Int> = []
    private var next = 0
    private var lines: [[(id: Int, wake: CheckedContinuation<Void, Never>)]] = [[], []]

    /// - Parameter lease: how long one step may keep others waiting; a step that hangs goes on and holds up nobody
    init(limit: Int, lease: Duration = .seconds(20), clock: any NodeClock) {
        self.limit = limit
        self.lease = lease
        self.clock = clock
    }

    nonisolated func pass<Value: Sendable>(
        _ rank: Rank, _ work: @Sendable () async throws(CRIError) -> Value
    ) async throws(CRIError) -> Value {
        let id = await enter(rank)
        let watch = Task { [clock, lease] in
            do { try await clock.sleep(for: lease) } catch { return }  // it has left in time
            await self.leave(id)
        }
        do throws(CRIError) {
            let value = try await work()
            watch.cancel()
            await leave(id)
            return value
        } catch {
            watch.cancel()
            await leave(id)
            throw error
        }
    }

    private func enter(_ rank: Rank) async -> Int {
        let id = next
        next += 1
        if inside.count < limit {
            inside.insert(id)
            return id
        }
        await withCheckedContinuation { lines[rank.rawValue].append((id, $0)) }
        return id
    }

    private func leave(_ id: Int) {
        guard inside.remove(id) != nil else { return }
        while inside.count < limit, let line = lines.firstIndex(where: { !$0.isEmpty }) {
            let first = lines[line].removeFirst()
            inside.insert(first.id)
            first.wake.resume()
        }
    }
}
