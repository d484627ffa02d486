import ArgumentParser
import CRI
import Glibc

/// `crictl runp`
struct RunPodCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runp", abstract: "Run a new pod",
        discussion: "  kubesim crictl runp pod-config.yaml")

    @Argument(help: "The pod's configuration: a PodSandboxConfig as JSON or YAML") var podConfig: String
    @Option(name: .shortAndLong, help: "The runtime handler to use") var runtime: String?
    @Option(name: [.customShort("T"), .long], help: "The time that the call may take") var cancelTimeout: GoDuration?

    func run() async throws {
        let config = try ConfigurationFile.pod(podConfig)
        let id = try await withServices(timeout: cancelTimeout?.duration) {
            try await $0.runPod(config, handler: runtime ?? "")
        }
        say(id)
    }
}

/// `crictl create`
struct CreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a new container",
        discussion: "  kubesim crictl create 4ba0a2b1c2d3e container-config.yaml pod-config.yaml")

    @Argument(help: "The pod's id") var podID: String
    @Argument(help: "The container's configuration: a ContainerConfig as JSON or YAML") var containerConfig: String
    @Argument(help: "The configuration that the pod was run with") var podConfig: String
    @OptionGroup var pull: PullOptions

    func run() async throws {
        let container = try ConfigurationFile.container(containerConfig)
        let pod = try ConfigurationFile.pod(podConfig)
        let byDefault = try Endpoints(GlobalOptions.current ?? GlobalOptions()).configuration.pullImageOnCreate
        let id = try await withServices(timeout: pull.cancelTimeout?.duration) { services in
            if try pull.wanted(byDefault) { try await pull.pull(container, pod, services) }
            return try await services.create(container, in: podID, pod)
        }
        say(id)
    }
}

/// `crictl run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a new container inside a sandbox",
        discussion: "  kubesim crictl run --no-pull container-config.yaml pod-config.yaml")

    @Argument(help: "The container's configuration: a ContainerConfig as JSON or YAML") var containerConfig: String
    @Argument(help: "The pod's configuration: a PodSandboxConfig as JSON or YAML") var podConfig: String
    @Option(name: .shortAndLong, help: "The runtime handler to use") var runtime: String?
    @OptionGroup var pull: PullOptions

    func run() async throws {
        let container = try ConfigurationFile.container(containerConfig)
        let pod = try ConfigurationFile.pod(podConfig)
        let byDefault = try !Endpoints(GlobalOptions.current ?? GlobalOptions()).configuration.disablePullOnRun
        try await withServices(timeout: pull.cancelTimeout?.duration) { services in
            if try pull.wanted(byDefault) { try await pull.pull(container, pod, services) }
            let podID = try await services.runPod(pod, handler: runtime ?? "")
            let id = try await services.create(container, in: podID, pod)
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

/// `crictl pull`
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Pull an image from a registry")

    @Argument(help: "NAME[:TAG|@DIGEST]") var image: String
    @Option(help: "A pod's configuration to pull for") var podConfig: String?
    @Option(name: .shortAndLong, help: "key=value annotation to be set on the pulled image") var annotation: [String] =
        []
    @OptionGroup var credentials: RegistryCredentials

    func run() async throws {
        var request = CRIPullImageRequest()
        request.image.image = image
        request.image.annotations = try parseLabels(annotation)
        if let auth = try credentials.authConfig() { request.auth = auth }
        if let podConfig { request.sandboxConfig = try ConfigurationFile.pod(podConfig) }
        let asked = request
        let response = try await withServices { services in
            try await doing("pulling image") {
                try await credentials.limited { try await services.images.pullImage(asked) }
            }
        }
        say("Image is up to date for \(response.imageRef)")
    }
}

/// Who pulls, and how long it may take.
struct RegistryCredentials: ParsableArguments {
    @Option(help: "USERNAME[:PASSWORD] for the registry (env: CRICTL_CREDS)") var creds: String?
    @Option(help: "Base64 of USERNAME[:PASSWORD] for the registry (env: CRICTL_AUTH)") var auth: String?
    @Option(name: .shortAndLong, help: "USERNAME for the registry; the password is asked for") var username: String?
    @Option(
        name: [.long, .customLong("pt", withSingleDash: true)],
        help: "The time that a pull may take; 0s for no limit (env: CRICTL_PULL_TIMEOUT)")
    var pullTimeout: GoDuration?

    /// What to show to the registry; nil when nothing was given.
    func authConfig() throws -> CRIAuthConfig? {
        var config = CRIAuthConfig()
        if let username {
            config.username = username
            config.password = try Password.ask()
            return config
        }
        let creds = creds ?? Endpoints.environment("CRICTL_CREDS")
        let auth = auth ?? Endpoints.environment("CRICTL_AUTH")
        if creds != nil && auth != nil { throw Failure("both --creds and --auth are specified") }
        if let creds {
            let parts = creds.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard !parts[0].isEmpty else { throw Failure("--creds: the username can't be empty") }
            config.username = String(parts[0])
            config.password = parts.count > 1 ? String(parts[1]) : ""
            return config
        }
        guard let auth else { return nil }
        config.auth = auth
        return config
    }

    /// Runs a pull within the limit, if there is one.
    func limited<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let given = pullTimeout ?? Endpoints.environment("CRICTL_PULL_TIMEOUT").flatMap(GoDuration.init(argument:))
        guard let limit = given?.duration, limit > .zero else { return try await body() }
        return try await withThrowingTaskGroup(of: Result.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw Failure("the pull took longer than \(limit)")
            }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }
}

/// Whether the image is pulled before a container of it is made.
struct PullOptions: ParsableArguments {
    @Flag(help: "Do not pull the image first") var noPull = false
    @Flag(help: "Pull the image first") var withPull = false
    @Option(name: [.customShort("T"), .long], help: "The time that a call may take") var cancelTimeout: GoDuration?
    @OptionGroup var credentials: RegistryCredentials

    func wanted(_ byDefault: Bool) throws -> Bool {
        if noPull && withPull { throw Failure("conflict: --no-pull and --with-pull are both set") }
        return withPull || (byDefault && !noPull)
    }

    /// Pulls what the container needs: its image, and those that are mounted.
    func pull(_ container: CRIContainerConfig, _ pod: CRIPodSandboxConfig, _ services: Services) async throws {
        let auth = try credentials.authConfig()
        let mounted = container.mounts.map(\.image.image).filter { !$0.isEmpty }
        for image in [container.image.image] + mounted {
            var request = CRIPullImageRequest()
            request.image.image = image
            request.image.annotations = container.image.annotations
            request.sandboxConfig = pod
            if let auth { request.auth = auth }
            let asked = request
            _ = try await doing("pulling image \(image)") {
                try await credentials.limited { try await services.images.pullImage(asked) }
            }
        }
    }
}

extension Services {
    func runPod(_ config: CRIPodSandboxConfig, handler: String) async throws -> String {
        var request = CRIRunPodSandboxRequest()
        request.config = config
        request.runtimeHandler = handler
        let asked = request
        return try await doing("run pod sandbox") { try await runtime.runPodSandbox(asked).podSandboxID }
    }

    func create(
        _ config: CRIContainerConfig, in pod: String, _ podConfig: CRIPodSandboxConfig
    ) async throws -> String {
        var request = CRICreateContainerRequest()
        request.podSandboxID = pod
        request.config = config
        request.sandboxConfig = podConfig
        let asked = request
        return try await doing("creating container") { try await runtime.createContainer(asked).containerID }
    }
}
