import Images

/// What containers have written, known without anybody waiting for a look at the disk.
///
/// overlayfs counts nothing itself, and project quotas, which would count for us, are there only where the filesystem was
/// made with them. So a layer is measured by walking what the container wrote (never its image), once when it is asked for
/// the first time, when it is nearly empty, and after that behind the caller's back: an answer that is older than
/// ``freshFor`` sets off one new walk, and a walk that took long is repeated more rarely, so that measuring takes at most a
/// twentieth of one thread. The answer says when it was measured, as the CRI's `timestamp` asks.
actor WritableLayers {
    struct Known: Sendable {
        var usage: DiskUsage
        var measuredAtNanoseconds: Int64
        fileprivate var measuredAt: ContinuousClock.Instant
        fileprivate var cost: Duration
    }

    typealias Measure = @Sendable (String) async -> DiskUsage?

    private let freshFor: Duration
    private let measure: Measure
    private var known: [String: Known] = [:]
    private var waiting: [String] = []
    private var worker: Task<Void, Never>?

    init(freshFor: Duration = .seconds(10), measure: @escaping Measure) {
        self.freshFor = freshFor
        self.measure = measure
    }

    /// What is known of each container; one that has no layer is left out.
    func usage(of containers: [String]) async -> [String: Known] {
        var found: [String: Known] = [:]
        for container in containers {
            if known[container] == nil { await look(container) }
            guard let known = known[container] else { continue }
            found[container] = known
            if isStale(known), !waiting.contains(container) { waiting.append(container) }
        }
        if worker == nil, !waiting.isEmpty { worker = Task { await refresh() } }
        return found
    }

    /// Forgets every container but these.
    func keep(_ containers: Set<String>) {
        known = known.filter { containers.contains($0.key) }
        waiting.removeAll { !containers.contains($0) }
    }

    var count: Int { known.count }

    private func isStale(_ known: Known) -> Bool {
        // Not by the host's clock, which may be set.
        ContinuousClock.now - known.measuredAt > max(freshFor, known.cost * 20)
    }

    private func refresh() async {
        while !waiting.isEmpty { await look(waiting.removeFirst()) }
        worker = nil
    }

    private func look(_ container: String) async {
        let clock = ContinuousClock()
        let start = clock.now
        let usage = await measure(container)
        known[container] = usage.map {
            Known(
                usage: $0, measuredAtNanoseconds: wallClockNanoseconds(), measuredAt: clock.now, cost: clock.now - start
            )
        }
    }
}
