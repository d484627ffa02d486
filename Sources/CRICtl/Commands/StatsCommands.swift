import ArgumentParser
import CRI

/// `crictl stats`
struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "List container(s) resource usage statistics")

    @Argument(help: "A container's id") var containerID: String?
    @Flag(name: .shortAndLong, help: "Show all containers (default shows just running)") var all = false
    @Option(help: "Filter by container id") var id: String?
    @Option(name: .shortAndLong, help: "Filter by pod id") var pod: String?
    @Option(help: "Filter by key=value label") var label: [String] = []
    @Option(name: .shortAndLong, help: "Output format: json, yaml, table") var output = OutputFormat.table
    @Option(name: .shortAndLong, help: "Sample duration for CPU usage in seconds") var seconds: Int = 1
    @Flag(name: .shortAndLong, help: "Watch pod resources") var watch = false

    func run() async throws {
        var filter = CRIContainerStatsFilter()
        filter.id = id ?? containerID ?? ""
        filter.podSandboxID = pod ?? ""
        filter.labelSelector = try parseLabels(label)
        var request = CRIListContainerStatsRequest()
        request.filter = filter
        let asked = request
        try await withServices { services in
            try await repeatedly(watch) {
                let first = try await list(asked, services)
                guard output == .table else { return try output.print(first) }
                try await Task.sleep(for: .seconds(max(0, seconds)))
                try Self.print(first, try await list(asked, services), all: all, watch: watch)
            }
        }
    }

    private func list(
        _ request: CRIListContainerStatsRequest, _ services: Services
    ) async throws -> CRIListContainerStatsResponse {
        var response = try await doing("get container stats") {
            try await services.runtime.listContainerStats(request)
        }
        response.stats.sort { $0.attributes.id < $1.attributes.id }
        return response
    }

    private static func print(
        _ before: CRIListContainerStatsResponse, _ after: CRIListContainerStatsResponse, all: Bool, watch: Bool
    ) throws {
        let earlier = Dictionary(before.stats.map { ($0.attributes.id, $0.cpu) }, uniquingKeysWith: { $1 })
        var table = Table(["CONTAINER", "NAME", "CPU %", "MEM", "DISK", "INODES", "SWAP"])
        for stats in after.stats {
            let memory = stats.memory.workingSetBytes.value
            if !all && stats.cpu.usageCoreNanoSeconds.value == 0 && memory == 0 { continue }
            guard let old = earlier[stats.attributes.id] else { continue }
            table.add([
                Human.shortID(stats.attributes.id), stats.attributes.metadata.name,
                cpuPercent(old, stats.cpu), Human.size(memory), Human.size(stats.writableLayer.usedBytes.value),
                "\(stats.writableLayer.inodesUsed.value)", Human.size(stats.swap.swapUsageBytes.value),
            ])
        }
        showTable(table, watch: watch)
    }
}

/// `crictl statsp`
struct PodStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statsp",
        abstract: "List pod statistics. Stats represent a structured API that will fulfill the Kubelet's "
            + "/stats/summary endpoint.")

    @Argument(help: "A pod's id") var podID: String?
    @Option(help: "Filter by pod id") var id: String?
    @Option(help: "Filter by key=value label") var label: [String] = []
    @Option(name: .shortAndLong, help: "Output format: json, yaml, table") var output = OutputFormat.table
    @Option(name: .shortAndLong, help: "Sample duration for CPU usage in seconds") var seconds: Int = 1
    @Flag(name: .shortAndLong, help: "Watch pod resources") var watch = false

    func run() async throws {
        var request = CRIListPodSandboxStatsRequest()
        request.filter.id = id ?? podID ?? ""
        request.filter.labelSelector = try parseLabels(label)
        let asked = request
        try await withServices { services in
            try await repeatedly(watch) {
                let first = try await list(asked, services)
                guard output == .table else { return try output.print(first) }
                try await Task.sleep(for: .seconds(max(0, seconds)))
                Self.print(first, try await list(asked, services), watch: watch)
            }
        }
    }

    private func list(
        _ request: CRIListPodSandboxStatsRequest, _ services: Services
    ) async throws -> CRIListPodSandboxStatsResponse {
        var response = try await doing("get pod stats") { try await services.runtime.listPodSandboxStats(request) }
        response.stats.sort { $0.attributes.id < $1.attributes.id }
        return response
    }

    private static func print(
        _ before: CRIListPodSandboxStatsResponse, _ after: CRIListPodSandboxStatsResponse, watch: Bool
    ) {
        let earlier = Dictionary(before.stats.map { ($0.attributes.id, $0.linux.cpu) }, uniquingKeysWith: { $1 })
        var table = Table(["POD", "POD ID", "CPU %", "MEM"])
        for stats in after.stats {
            let memory = stats.linux.memory.workingSetBytes.value
            if stats.linux.cpu.usageCoreNanoSeconds.value == 0 && memory == 0 { continue }
            guard let old = earlier[stats.attributes.id] else { continue }
            table.add([
                stats.attributes.metadata.name, Human.shortID(stats.attributes.id), cpuPercent(old, stats.linux.cpu),
                Human.size(memory),
            ])
        }
        showTable(table, watch: watch)
    }
}

/// How much of one core was used between two samples; a counter that was not read anew used nothing.
func cpuPercent(_ before: CRICpuUsage, _ after: CRICpuUsage) -> String {
    let time = after.timestamp - before.timestamp
    let used = Double(after.usageCoreNanoSeconds.value) - Double(before.usageCoreNanoSeconds.value)
    return Human.format("%.2f", time > 0 ? max(0, used) / Double(time) * 100 : 0)
}

/// Prints a table, over the one before it when a person watches.
private func showTable(_ table: Table, watch: Bool) {
    show((watch && Output.current.isTerminal ? "\u{1B}[2J\u{1B}[H" : "") + table.text)
}
