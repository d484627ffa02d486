import ArgumentParser
import FoundationEssentials

/// The flags that say where a node keeps things; the same for every command that works on a node's files.
struct NodeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The data directory; with it alone, all the places below lie in it.", valueName: "dir"))
    var root: String?

    @Option(help: ArgumentHelp("Runtime state: sockets, mounts, bundles.", valueName: "dir"))
    var state: String?

    @Option(help: ArgumentHelp("The directory whose files are Pod manifests.", valueName: "dir"))
    var manifests: String?

    @Option(help: ArgumentHelp("Image tarballs dropped here are imported.", valueName: "dir"))
    var images: String?

    @Option(help: ArgumentHelp("The CRI socket.", valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("Logs, as NAMESPACE_NAME_UID/CONTAINER/N.log.", valueName: "dir"))
    var podLogs: String?

    @Option(name: .customLong("pod-cidr"), help: ArgumentHelp("The pods' addresses.", valueName: "cidr"))
    var podCIDR: String?

    @Option(help: ArgumentHelp("The configuration file (default: /etc/kubesim/kubesim.yaml).", valueName: "file"))
    var config: String?

    /// What the flags and the file say together.
    func configuration() throws(NodeError) -> NodeConfiguration {
        let given = [
            ("root", root), ("state", state), ("manifests", manifests), ("images", images), ("socket", socket),
            ("pod-logs", podLogs), ("pod-cidr", podCIDR), ("config", config),
        ]
        // An unset variable of a script must not become the working directory.
        if let empty = given.first(where: { $0.1?.isEmpty ?? false })?.0 {
            throw NodeError("--\(empty) is empty: give it a value, or leave it out")
        }
        var configuration = try NodeConfiguration.read(config)
        configuration.wishes = NodePlaces.Wishes(
            root: root, state: state, manifests: manifests, images: images, socket: socket, podLogs: podLogs,
            podCIDR: podCIDR
        ).over(configuration.wishes)
        return configuration
    }

    func places(_ configuration: NodeConfiguration) -> NodePlaces {
        NodePlaces(configuration.wishes, relativeTo: FileManager.default.currentDirectoryPath)
    }
}
