import ArgumentParser
import CRI

/// `crictl start`
struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start one or more created containers")

    @Argument(help: "The containers' ids") var containerID: [String]

    func run() async throws {
        try await withServices { services in
            for id in containerID {
                var request = CRIStartContainerRequest()
                request.containerID = id
                let asked = request
                _ = try await doing("starting the container \"\(id)\"") {
                    try await services.runtime.startContainer(asked)
                }
                say(id)
            }
        }
    }
}

/// `crictl stop`
struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop one or more running containers")

    @Argument(help: "The containers' ids") var containerID: [String] = []
    @Option(
        name: .shortAndLong, help: "Seconds to wait to kill the container after a graceful stop is requested")
    var timeout: Int64 = 0
    @Flag(name: .shortAndLong, help: "Stop all running containers") var all = false

    func validate() throws {
        if all && !containerID.isEmpty { throw ValidationError("cannot specify CONTAINER-ID(s) when using --all") }
        if !all && containerID.isEmpty {
            throw ValidationError("you must specify at least one CONTAINER-ID or use --all")
        }
    }

    func run() async throws {
        try await withServices { services in
            let ids = all ? try await ContainerSelection().containers(services).map(\.id) : containerID
            if ids.isEmpty { return say("No running containers found.") }
            for id in ids { try await services.stopContainer(id, timeout: timeout) }
        }
    }
}

/// `crictl stopp`
struct StopPodCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stopp", abstract: "Stop one or more running pods")

    @Argument(help: "The pods' ids") var podID: [String]

    func run() async throws {
        try await withServices { services in
            for id in podID { try await services.stopPod(id) }
        }
    }
}

extension Services {
    /// Stops a container and says its id.
    func stopContainer(_ id: String, timeout: Int64) async throws {
        var request = CRIStopContainerRequest()
        request.containerID = id
        request.timeout = timeout
        let asked = request
        _ = try await doing("stopping the container \"\(id)\"") { try await runtime.stopContainer(asked) }
        say(id)
    }

    /// Stops a sandbox and says so.
    func stopPod(_ id: String) async throws {
        var request = CRIStopPodSandboxRequest()
        request.podSandboxID = id
        let asked = request
        _ = try await doing("stopping the pod sandbox \"\(id)\"") { try await runtime.stopPodSandbox(asked) }
        say("Stopped sandbox \(id)")
    }
}

/// Does one thing to each of several objects, all of them even when some fail, and joins what went wrong.
func forEach(_ ids: [String], _ body: (String) async throws -> Void) async throws {
    var failures: [String] = []
    for id in ids {
        do { try await body(id) } catch { failures.append("\(error)") }
    }
    if !failures.isEmpty { throw Failure(failures.joined(separator: "\n")) }
}
