import ArgumentParser
import FoundationEssentials
import Glibc
import Logging

/// `kubesim node`
public struct NodeCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Run a node: kubelet and CRI runtime in one process.",
        discussion: """
            Every file of the manifests directory is one or more Pods, in YAML or \
            JSON. A file that comes, changes or goes is a pod that starts, is \
            replaced or is stopped. Stopping the node leaves the pods running; the \
            next start adopts them.

            Places, unless you move them:

              /etc/kubesim/manifests    Pod manifests
              /var/lib/kubesim          data: images, layers, records
              /var/lib/kubesim/images   tarballs dropped here are imported
              /run/kubesim              runtime state, and the socket kubesim.sock
              /var/log/pods             logs

            With --root DIR all of them lie below DIR, so that several nodes can \
            run on one machine.
            """)

    @OptionGroup(title: "Places") var options: NodeOptions

    @Option(help: ArgumentHelp("Drive another CRI runtime instead of the embedded one.", valueName: "unix://…"))
    var containerRuntimeEndpoint: String?

    @Option(help: "The node's name (default: the host's).")
    var nodeName: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical (default: info).")
    var logLevel: String?

    @OptionGroup(title: "Logs") var logs: LogOptions

    @Flag(help: "At the end stop the pods and remove everything that the node made.")
    var ephemeral = false

    @Flag(help: "Show each pod's way to Running; implies --ephemeral.")
    var demo = false

    public init() {}

    public func run() async throws {
        // A client that goes away while it is written to is an error to handle, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        var configuration = try options.configuration()
        if let containerRuntimeEndpoint { configuration.containerRuntimeEndpoint = containerRuntimeEndpoint }
        if let nodeName { configuration.nodeName = nodeName }
        configuration.containerLogs = logs.over(configuration.containerLogs)
        var logger = Logger(label: "kubesim") { _ in LineLog() }
        logger.logLevel = try Logger.Level.named(logLevel ?? configuration.logLevel ?? (demo ? "error" : "info"))
        let places = options.places(configuration)
        let display: (@Sendable (String) -> Void)? = demo ? { @Sendable line in StandardOutput.line(line) } : nil
        display?(DemoGuide.text(places))
        try await NodeProcess(
            places: places, configuration: configuration, ephemeral: ephemeral || demo, display: display, logger: logger
        ).run()
        display?("  everything is gone: no process, mount, cgroup, network or file is left")
    }
}
