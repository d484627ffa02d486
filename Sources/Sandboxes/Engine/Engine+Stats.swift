import CRI
import Cgroups
import Images
import SwiftProtobuf

extension Engine {
    public func containerStats(
        _ request: CRIContainerStatsRequest
    ) async throws(CRIError) -> CRIContainerStatsResponse {
        let entry = try container(request.containerID)
        let stats = await stats(of: [entry])
        return CRIContainerStatsResponse.with { response in
            if let first = stats.first { response.stats = first }
        }
    }

    public func listContainerStats(
        _ request: CRIListContainerStatsRequest
    ) async throws(CRIError) -> CRIListContainerStatsResponse {
        let stats = await stats(of: matching(request.filter))
        return CRIListContainerStatsResponse.with { $0.stats = stats }
    }

    public func streamContainerStats(
        _ request: CRIStreamContainerStatsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamContainerStatsResponse, any Error> {
        chunks(await stats(of: matching(request.filter))) { items in
            CRIStreamContainerStatsResponse.with { $0.containerStats = items }
        }
    }

    public func podSandboxStats(
        _ request: CRIPodSandboxStatsRequest
    ) async throws(CRIError) -> CRIPodSandboxStatsResponse {
        let entry = try sandbox(request.podSandboxID)
        let stats = await stats(of: [entry])
        return CRIPodSandboxStatsResponse.with { response in
            if let first = stats.first { response.stats = first }
        }
    }

    public func listPodSandboxStats(
        _ request: CRIListPodSandboxStatsRequest
    ) async throws(CRIError) -> CRIListPodSandboxStatsResponse {
        let stats = await stats(of: matching(request.filter))
        return CRIListPodSandboxStatsResponse.with { $0.stats = stats }
    }

    public func streamPodSandboxStats(
        _ request: CRIStreamPodSandboxStatsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxStatsResponse, any Error> {
        chunks(await stats(of: matching(request.filter))) { items in
            CRIStreamPodSandboxStatsResponse.with { $0.podSandboxStats = items }
        }
    }

    private func matching(_ filter: CRIContainerStatsFilter) -> [ContainerEntry] {
        matching(id: filter.id, sandbox: filter.podSandboxID, labels: filter.labelSelector, state: .containerRunning)
    }

    /// The ready sandboxes that a filter lets through, newest first.
    private func matching(_ filter: CRIPodSandboxStatsFilter) -> [SandboxEntry] {
        let wanted = filter.id.isEmpty ? nil : try? findSandbox(filter.id)
        if !filter.id.isEmpty, wanted == nil { return [] }
        return sandboxes.values.filter { entry in
            entry.record.stage == .ready && (wanted == nil || wanted == entry.record.id)
                && filter.labelSelector.allSatisfy { entry.record.config.labels[$0.key] == $0.value }
        }.sorted { $0.record.createdAtNanoseconds > $1.record.createdAtNanoseconds }
    }

    /// What the kernel counts for one cgroup.
    private struct Reading: Sendable {
        var stats: CgroupStats?
        var pressures: CgroupPressures?
        var interfaces: [InterfaceCounters] = []

        /// Blocking; an empty path, and a cgroup that isn't there, read as nothing.
        init(_ path: String, host: CgroupHost, pid: Int32 = 0) {
            if !path.isEmpty, let cgroup = try? Cgroup(path: path, host: host) {
                stats = cgroup.stats()
                pressures = cgroup.pressures()
            }
            if pid > 0 { interfaces = InterfaceCounters.read(pid: pid) }
        }
    }

    /// Reads the cgroups of containers, away from the actor and without starting anything, and computes the rates from the
    /// looks before.
    func stats(of entries: [ContainerEntry]) async -> [CRIContainerStats] {
        let paths = entries.map { $0.record.stage == .running ? $0.record.cgroupsPath : "" }
        let host = cgroups
        async let layers = writableLayers(of: entries)
        let readings = await Blocking.run { paths.map { Reading($0, host: host) } }
        let written = await layers
        return zip(entries, readings).map { entry, reading in
            let record = entry.record
            let now = wallClockNanoseconds()
            var stats = CRIContainerStats()
            stats.attributes.id = record.id.text
            stats.attributes.metadata = record.config.metadata
            stats.attributes.labels = record.config.labels
            stats.attributes.annotations = record.config.annotations
            if let cpu = reading.stats?.cpu {
                let rate = sample(record.id, usage: cpu.usageNanoseconds, now: now)
                stats.cpu = StatsMessages.cpu(cpu, reading.pressures?.cpu, rate: rate, now: now)
            }
            if let memory = reading.stats?.memory {
                stats.memory = StatsMessages.memory(memory, reading.pressures?.memory, now: now)
                stats.swap = StatsMessages.swap(memory, now: now)
            }
            if let io = StatsMessages.io(reading.pressures?.io, now: now) { stats.io = io }
            if let layer = written[record.id.text] {
                stats.writableLayer = StatsMessages.writableLayer(layer, root: images.root)
            }
            return stats
        }
    }

    /// What containers have written.
    func writableLayers(of entries: [ContainerEntry]) async -> [String: WritableLayers.Known] {
        let live = containers.count
        if await layers.count > live + 64 { await layers.keep(Set(containers.keys.map(\.text))) }
        return await layers.usage(of: entries.map(\.record.id.text))
    }

    private func stats(of entries: [SandboxEntry]) async -> [CRIPodSandboxStats] {
        let members = entries.map { entry in
            containers(of: entry.record.id).filter { $0.record.stage == .running }
        }
        let containerStats = await stats(of: members.flatMap { $0 })
        let looks = entries.map { entry in
            entry.record.stage == .ready ? (podCgroup(entry.record), entry.record.pausePID) : ("", 0)
        }
        let host = cgroups
        let readings = await Blocking.run { looks.map { Reading($0.0, host: host, pid: $0.1) } }
        var rest = containerStats[...]
        var all: [CRIPodSandboxStats] = []
        for (index, entry) in entries.enumerated() {
            let own = Array(rest.prefix(members[index].count))
            rest = rest.dropFirst(own.count)
            all.append(stats(of: entry.record, readings[index], containers: own))
        }
        return all
    }

    private func stats(
        of record: SandboxRecord, _ reading: Reading, containers: [CRIContainerStats]
    ) -> CRIPodSandboxStats {
        let now = wallClockNanoseconds()
        var stats = CRIPodSandboxStats()
        stats.attributes.id = record.id.text
        stats.attributes.metadata = record.config.metadata
        stats.attributes.labels = record.config.labels
        stats.attributes.annotations = record.config.annotations
        guard record.stage == .ready else { return stats }
        if let cpu = reading.stats?.cpu {
            let previous = sandboxes[record.id]?.lastCPU
            let next = CPUSample.next(previous, usage: cpu.usageNanoseconds, now: now)
            sandboxes[record.id]?.lastCPU = next
            stats.linux.cpu = StatsMessages.cpu(
                cpu, reading.pressures?.cpu, rate: previous == nil ? nil : next.rate, now: now)
        }
        if let memory = reading.stats?.memory {
            stats.linux.memory = StatsMessages.memory(memory, reading.pressures?.memory, now: now)
        }
        if let io = StatsMessages.io(reading.pressures?.io, now: now) { stats.linux.io = io }
        stats.linux.process.timestamp = now
        stats.linux.process.processCount.value = reading.stats?.pids?.current ?? 0
        stats.linux.network = StatsMessages.network(reading.interfaces, now: now)
        stats.linux.containers = containers
        return stats
    }

    /// The pod's own cgroup is the parent of its containers'; without one there is only pause's.
    func podCgroup(_ record: SandboxRecord) -> String {
        let parent = record.config.linux.cgroupParent
        let pause = (try? places.cgroup(parent: parent, id: record.id.text)) ?? ""
        return parent.isEmpty ? pause : String(pause.prefix(upTo: pause.lastIndex(of: "/") ?? pause.startIndex))
    }

    /// Nil at the first look: a rate needs two.
    private func sample(_ id: ContainerID, usage: UInt64, now: Int64) -> UInt64? {
        let previous = containers[id]?.lastCPU
        let next = CPUSample.next(previous, usage: usage, now: now)
        containers[id]?.lastCPU = next
        return previous == nil ? nil : next.rate
    }
}

extension CPUSample {
    /// The sample after `previous`; looks less than 100 ms apart keep the old rate, which is less noisy.
    static func next(_ previous: CPUSample?, usage: UInt64, now: Int64) -> CPUSample {
        guard let previous else { return CPUSample(nanoseconds: now, usage: usage, rate: 0) }
        let elapsed = now - previous.nanoseconds
        // Somebody has set the clock back.
        if elapsed < 0 { return CPUSample(nanoseconds: now, usage: usage, rate: previous.rate) }
        guard elapsed >= 100_000_000, usage >= previous.usage else { return previous }
        let rate = Double(usage - previous.usage) / Double(elapsed) * 1_000_000_000
        return CPUSample(nanoseconds: now, usage: usage, rate: UInt64(rate))
    }
}
