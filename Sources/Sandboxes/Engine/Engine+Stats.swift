import CRI
import Cgroups
import Glibc
import Images
import Linux
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
        let stats = await stats(of: entry)
        return CRIPodSandboxStatsResponse.with { $0.stats = stats }
    }

    public func listPodSandboxStats(
        _ request: CRIListPodSandboxStatsRequest
    ) async throws(CRIError) -> CRIListPodSandboxStatsResponse {
        let stats = await podStats(request.filter)
        return CRIListPodSandboxStatsResponse.with { $0.stats = stats }
    }

    public func streamPodSandboxStats(
        _ request: CRIStreamPodSandboxStatsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxStatsResponse, any Error> {
        chunks(await podStats(request.filter)) { items in
            CRIStreamPodSandboxStatsResponse.with { $0.podSandboxStats = items }
        }
    }

    private func matching(_ filter: CRIContainerStatsFilter) -> [ContainerEntry] {
        matching(id: filter.id, sandbox: filter.podSandboxID, labels: filter.labelSelector, state: .containerRunning)
    }

    private func podStats(_ filter: CRIPodSandboxStatsFilter) async -> [CRIPodSandboxStats] {
        let wanted = filter.id.isEmpty ? nil : try? findSandbox(filter.id)
        if !filter.id.isEmpty, wanted == nil { return [] }
        let entries = sandboxes.values.filter { entry in
            entry.record.stage == .ready && (wanted == nil || wanted == entry.record.id)
                && filter.labelSelector.allSatisfy { entry.record.config.labels[$0.key] == $0.value }
        }
        var all: [CRIPodSandboxStats] = []
        for entry in entries { all.append(await stats(of: entry)) }
        return all
    }

    /// Reads the cgroups of containers, away from the actor, and computes the rates from the looks before.
    func stats(of entries: [ContainerEntry]) async -> [CRIContainerStats] {
        let paths = entries.map { ($0.record.stage == .running ? $0.record.cgroupsPath : "") }
        let host = cgroups
        let read = await Blocking.run {
            paths.map { path in path.isEmpty ? nil : try? Cgroup(path: path, host: host).stats() }
        }
        var result: [CRIContainerStats] = []
        for (entry, counters) in zip(entries, read) {
            let record = entry.record
            let now = wallClockNanoseconds()
            var stats = CRIContainerStats()
            stats.attributes.id = record.id.text
            stats.attributes.metadata = record.config.metadata
            stats.attributes.labels = record.config.labels
            stats.attributes.annotations = record.config.annotations
            if let cpu = counters?.cpu {
                let rate = sample(record.id, usage: cpu.usageNanoseconds, now: now)
                stats.cpu = Self.cpu(cpu.usageNanoseconds, rate: rate, now: now)
            }
            if let memory = counters?.memory {
                stats.memory = Self.memory(memory, now: now)
                stats.swap.timestamp = now
                stats.swap.swapUsageBytes.value = memory.swapBytes ?? 0
            }
            // A snapshot that is being removed has no size to tell.
            if let usage = try? await images.usage(container: record.id.text) {
                stats.writableLayer.timestamp = now
                stats.writableLayer.fsID.mountpoint = images.root
                stats.writableLayer.usedBytes.value = usage.bytes
                stats.writableLayer.inodesUsed.value = usage.inodes
            }
            result.append(stats)
        }
        return result
    }

    private func stats(of entry: SandboxEntry) async -> CRIPodSandboxStats {
        let record = entry.record
        var stats = CRIPodSandboxStats()
        stats.attributes.id = record.id.text
        stats.attributes.metadata = record.config.metadata
        stats.attributes.labels = record.config.labels
        stats.attributes.annotations = record.config.annotations
        guard record.stage == .ready else { return stats }
        let containers = await self.stats(of: containers(of: record.id).filter { $0.record.stage == .running })
        let now = wallClockNanoseconds()
        // The pod's own cgroup is the parent of its containers'; without one there is only pause's.
        let pause = (try? places.cgroup(parent: record.config.linux.cgroupParent, id: record.id.text)) ?? ""
        let path =
            record.config.linux.cgroupParent.isEmpty
            ? pause : String(pause.prefix(upTo: pause.lastIndex(of: "/") ?? pause.startIndex))
        let (host, pid) = (cgroups, record.pausePID)
        let (counters, interfaces) = await Blocking.run {
            (try? Cgroup(path: path, host: host).stats(), InterfaceCounters.read(pid: pid))
        }
        if let cpu = counters?.cpu {
            let previous = sandboxes[record.id]?.lastCPU
            let next = CPUSample.next(previous, usage: cpu.usageNanoseconds, now: now)
            sandboxes[record.id]?.lastCPU = next
            stats.linux.cpu = Self.cpu(cpu.usageNanoseconds, rate: previous == nil ? nil : next.rate, now: now)
        }
        if let memory = counters?.memory { stats.linux.memory = Self.memory(memory, now: now) }
        stats.linux.process.timestamp = now
        stats.linux.process.processCount.value = counters?.pids?.current ?? 0
        stats.linux.network = Self.network(interfaces, now: now)
        stats.linux.containers = containers
        return stats
    }

    /// Nil at the first look: a rate needs two.
    private func sample(_ id: ContainerID, usage: UInt64, now: Int64) -> UInt64? {
        let previous = containers[id]?.lastCPU
        let next = CPUSample.next(previous, usage: usage, now: now)
        containers[id]?.lastCPU = next
        return previous == nil ? nil : next.rate
    }

    private static func cpu(_ usage: UInt64, rate: UInt64?, now: Int64) -> CRICpuUsage {
        CRICpuUsage.with {
            $0.timestamp = now
            $0.usageCoreNanoSeconds.value = usage
            if let rate { $0.usageNanoCores.value = rate }
        }
    }

    private static func memory(_ memory: CgroupStats.Memory, now: Int64) -> CRIMemoryUsage {
        CRIMemoryUsage.with {
            $0.timestamp = now
            $0.usageBytes.value = memory.usageBytes
            $0.workingSetBytes.value = memory.workingSetBytes
            if let limit = memory.limitBytes {
                $0.availableBytes.value = limit > memory.workingSetBytes ? limit - memory.workingSetBytes : 0
            }
            if let resident = memory.residentBytes { $0.rssBytes.value = resident }
            if let faults = memory.pageFaults { $0.pageFaults.value = faults }
            if let faults = memory.majorPageFaults { $0.majorPageFaults.value = faults }
        }
    }

    private static func network(_ interfaces: [InterfaceCounters], now: Int64) -> CRINetworkUsage {
        CRINetworkUsage.with { usage in
            usage.timestamp = now
            let all = interfaces.filter { $0.name != "lo" }.map { counters in
                CRINetworkInterfaceUsage.with {
                    $0.name = counters.name
                    $0.rxBytes.value = counters.receivedBytes
                    $0.rxErrors.value = counters.receiveErrors
                    $0.txBytes.value = counters.sentBytes
                    $0.txErrors.value = counters.sendErrors
                }
            }
            if let first = all.first(where: { $0.name == "eth0" }) ?? all.first { usage.defaultInterface = first }
            usage.interfaces = all.filter { $0.name != usage.defaultInterface.name }
        }
    }
}

extension CPUSample {
    /// The sample after `previous`; looks less than 100 ms apart keep the old rate, which is less noisy.
    static func next(_ previous: CPUSample?, usage: UInt64, now: Int64) -> CPUSample {
        guard let previous else { return CPUSample(nanoseconds: now, usage: usage, rate: 0) }
        let elapsed = now - previous.nanoseconds
        guard elapsed >= 100_000_000, usage >= previous.usage else { return previous }
        let rate = Double(usage - previous.usage) / Double(elapsed) * 1_000_000_000
        return CPUSample(nanoseconds: now, usage: usage, rate: UInt64(rate))
    }
}
