import ArgumentParser
import Glibc
import Logging

/// `kubesim cri`
public struct CRICommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "cri", abstract: "Run the CRI runtime alone, for a kubelet or another client.",
        discussion: """
            What `kubesim node` embeds, without its kubelet: sandboxes, containers, \
            images, pod network and streams behind the socket, in the words of \
            runtime.v1, as containerd and CRI-O have it. Stopping it leaves the pods \
            running; the next start, of this command or of `kubesim node`, adopts them.

              kubesim cri &
              kubesim image load web.tar
              kubesim crictl runp sandbox.json
              kubelet --container-runtime-endpoint=unix:///run/kubesim/kubesim.sock

            Places, unless you move them:

              /run/kubesim/kubesim.sock    the CRI; only root may talk to it
              /var/lib/kubesim             data: images, layers, records
              /var/lib/kubesim/images      tarballs dropped here are imported
              /run/kubesim                 runtime state
              /etc/cni/net.d               the pods' network; a bridge of our own
                                           where it holds no configuration

            With --root DIR all but the last lie below DIR, so that several run on one \
            machine; one root serves one of them, node or CRI, at a time. The \
            configuration file is the node's; what it says of manifests and the \
            cluster is the kubelet's, and has no meaning here. Logs are limited as \
            they are written: below a kubelet that keeps more than 5 files of 10 MiB \
            (its containerLogMaxFiles and containerLogMaxSize), say the same here.

            SIGTERM ends it. It tells systemd when clients may come (Type=notify).
            """)

    @OptionGroup(title: "Places") var options: PlaceOptions

    @Option(help: "trace, debug, info, notice, warning, error or critical (default: info).")
    var logLevel: String?

    @OptionGroup(title: "Logs") var logs: LogOptions

    @Flag(help: "At the end stop and remove every sandbox, and everything else that was made.")
    var ephemeral = false

    public init() {}

    public func run() async throws {
        // A client that goes away while it is written to is an error to handle, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        var configuration = try options.configuration()
        configuration.containerLogs = logs.over(configuration.containerLogs)
        var logger = Logger(label: "kubesim") { _ in LineLog() }
        logger.logLevel = try Logger.Level.named(logLevel ?? configuration.logLevel ?? "info")
        try await CRIProcess(
            places: options.places(configuration), configuration: configuration, ephemeral: ephemeral, logger: logger
        ).run()
    }
}
