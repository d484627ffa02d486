import ArgumentParser
import CRI
import Glibc

/// `kubesim crictl`: looks into a CRI runtime, ours or another, with crictl's verbs, flags and output.
///
/// It takes the options that say where the runtime is, and hands the rest to ``CRICtlVerbs`` unread: the same letters
/// mean other things behind a verb (`crictl -t 5s logs -t`).
public struct CRICtlCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "crictl",
        abstract: "Looks into the node's container runtime, with crictl's verbs and output.",
        usage: "kubesim crictl [<options>] <verb> [<arguments>]",
        discussion: """
            What runs, and why not:
              kubesim crictl pods
              kubesim crictl ps -a
              kubesim crictl logs -f 1f73f2d81bf98
              kubesim crictl exec -it 1f73f2d81bf98 sh
              kubesim crictl inspect 1f73f2d81bf98 | jq .info.pid

            Ids may be shortened. The options below stand before the verb, or in /etc/crictl.yaml (see the verb config):
              kubesim crictl -r unix:///run/containerd/containerd.sock ps

            VERBS:
            \(CRICtlVerbs.overview)

            `kubesim crictl VERB --help` says more.
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(parsing: .captureForPassthrough, help: .hidden)
    var arguments: [String] = []

    public init() {}

    public func run() async throws {
        // Behind the options everything is the verb's; without one these are ours.
        if arguments.isEmpty || ["help", "-h", "--help"].contains(where: { arguments == [$0] }) {
            return say(Self.helpMessage())
        }
        do { try await Self.execute(arguments, options) } catch { Self.end(error) }
    }

    /// As ArgumentParser ends a program, but for the exit code of a usage that is wrong: crictl's is 1.
    private static func end(_ error: any Error) -> Never {
        let code = CRICtlVerbs.exitCode(for: error)
        guard code == .validationFailure else { CRICtlVerbs.exit(withError: error) }
        warn(CRICtlVerbs.fullMessage(for: error))
        Glibc.exit(1)
    }

    /// Runs a verb with its arguments.
    static func execute(_ arguments: [String], _ options: GlobalOptions) async throws {
        try await GlobalOptions.$current.withValue(options) {
            var command = try CRICtlVerbs.parseAsRoot(arguments)
            if var verb = command as? any AsyncParsableCommand { try await verb.run() } else { try command.run() }
        }
    }
}

/// The verbs of `kubesim crictl`.
public struct CRICtlVerbs: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "crictl", _superCommandName: "kubesim",
        abstract: "Looks into the node's container runtime.",
        subcommands: verbs)

    public init() {}

    static let verbs: [any ParsableCommand.Type] = [
        AttachCommand.self, CheckpointCommand.self, CompletionCommand.self, ConfigCommand.self, CreateCommand.self,
        EventsCommand.self, ExecCommand.self, ImageFilesystemCommand.self, ImagesCommand.self, InfoCommand.self,
        InspectCommand.self, InspectImageCommand.self, InspectPodCommand.self, LogsCommand.self,
        MetricDescriptorsCommand.self, PodMetricsCommand.self, PodsCommand.self, PortForwardCommand.self,
        PsCommand.self, PullCommand.self, RemoveCommand.self, RemoveImageCommand.self, RemovePodCommand.self,
        RunCommand.self, RunPodCommand.self, RuntimeConfigCommand.self, StartCommand.self, StatsCommand.self,
        PodStatsCommand.self, StopCommand.self, StopPodCommand.self, UpdateCommand.self,
        UpdateRuntimeConfigCommand.self, VersionCommand.self,
    ]

    /// A line for each verb.
    static var overview: String {
        verbs.map { verb in
            let name = verb.configuration.commandName ?? ""
            return "  " + name + String(repeating: " ", count: max(1, 24 - name.count)) + verb.configuration.abstract
        }.joined(separator: "\n")
    }
}

/// `crictl` as a shell sees it: its options and its verbs, of which the program itself reads one after the other.
public struct CRICtlTree: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "crictl", abstract: CRICtlCommand.configuration.abstract, subcommands: CRICtlVerbs.verbs)

    @OptionGroup var options: GlobalOptions

    public init() {}
}

/// Where the runtime is; these stand before the verb.
struct GlobalOptions: ParsableArguments, Sendable {
    @Option(
        name: [.customShort("r"), .long],
        help: """
            Where the runtime listens. (env: CONTAINER_RUNTIME_ENDPOINT, default: unix:///run/kubesim/kubesim.sock)
            """)
    var runtimeEndpoint: String?

    @Option(
        name: [.customShort("i"), .long],
        help: "Where the image service listens. (env: IMAGE_SERVICE_ENDPOINT, default: the runtime's endpoint)")
    var imageEndpoint: String?

    @Option(name: .shortAndLong, help: "The time that a call may take: 2s, 1m30s. (default: 10s)")
    var timeout: GoDuration?

    @Option(
        name: .shortAndLong,
        help: "The client's configuration file. (env: CRI_CONFIG_FILE, default: /etc/crictl.yaml)")
    var config: String?

    @Flag(name: [.customShort("D"), .long], help: "Say on standard error what is being done.")
    var debug = false

    @Option(help: "How often to try to connect again; negative for ever. (default: 0)")
    var maxRetries: Int?

    /// Those of the command line that is being carried out; nil behind no command line.
    @TaskLocal static var current: GlobalOptions?
}

extension ParsableCommand {
    /// Connects, runs `body` and hangs up.
    ///
    /// - Parameter timeout: the time that each call may take, instead of the configured one.
    func withServices<Result: Sendable>(
        timeout: Duration? = nil, _ body: (Services) async throws -> Result
    ) async throws -> Result {
        let services = try await Endpoints(GlobalOptions.current ?? GlobalOptions()).connect(timeout: timeout)
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(services)) } catch { outcome = .failure(error) }
        await services.close()
        return try outcome.get()
    }
}
