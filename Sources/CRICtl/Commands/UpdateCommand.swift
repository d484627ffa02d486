import ArgumentParser
import CRI

/// `crictl update`
struct UpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Update one or more running containers")

    @Argument(help: "The containers' ids") var containerID: [String]
    @Option(help: "CPU CFS period to be used for hardcapping (in usecs). 0 to use system default")
    var cpuPeriod: Int64 = 0
    @Option(help: "CPU CFS hardcap limit (in usecs). Allowed cpu time in a given period") var cpuQuota: Int64 = 0
    @Option(help: "CPU shares (relative weight vs. other containers)") var cpuShare: Int64 = 0
    @Option(help: "Memory limit (in bytes)") var memory: Int64 = 0
    @Option(help: "CPU(s) to use") var cpusetCpus = ""
    @Option(help: "Memory node(s) to use") var cpusetMems = ""
    @Option(help: "OOM Killer score to use") var oomScoreAdj: Int64 = 0

    func run() async throws {
        var resources = CRILinuxContainerResources()
        resources.cpuPeriod = cpuPeriod
        resources.cpuQuota = cpuQuota
        resources.cpuShares = cpuShare
        resources.cpusetCpus = cpusetCpus
        resources.cpusetMems = cpusetMems
        resources.memoryLimitInBytes = memory
        resources.oomScoreAdj = oomScoreAdj
        var request = CRIUpdateContainerResourcesRequest()
        request.linux = resources
        let template = request
        try await withServices { services in
            for id in containerID {
                var asked = template
                asked.containerID = id
                let update = asked
                _ = try await doing("updating container resources for \"\(id)\"") {
                    try await services.runtime.updateContainerResources(update)
                }
                say(id)
            }
        }
    }
}

/// `crictl checkpoint`
struct CheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Checkpoint one or more running containers")

    @Argument(help: "The containers' ids") var containerID: [String]
    @Option(name: .shortAndLong, help: "The archive to write: /path/to/checkpoint.tar") var export: String

    func run() async throws {
        try await withServices { services in
            for id in containerID {
                var request = CRICheckpointContainerRequest()
                request.containerID = id
                request.location = export
                let asked = request
                _ = try await doing("checkpointing the container \"\(id)\"") {
                    try await services.runtime.checkpointContainer(asked)
                }
                say(id)
            }
        }
    }
}
