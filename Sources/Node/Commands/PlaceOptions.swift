import ArgumentParser
import FoundationEssentials

/// The flags that say where an engine keeps things; the node and the CRI alone share them.
struct PlaceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The data directory; with it alone, all the other places lie in it.", valueName: "dir"),
        completion: .directory)
    var root: String?

    @Option(help: ArgumentHelp("Runtime state: sockets, mounts, bundles.", valueName: "dir"), completion: .directory)
    var state: String?

    @Option(help: ArgumentHelp("Image tarballs dropped here are imported.", valueName: "dir"), completion: .directory)
    var images: String?

    @Option(help: ArgumentHelp("The CRI socket.", valueName: "path"), completion: .file())
    var socket: String?

    @Option(name: .customLong("pod-cidr"), help: ArgumentHelp("The pods' addresses.", valueName: "cidr"))
    var podCIDR: String?

    @Option(
        help: ArgumentHelp("The configuration file (default: /etc/kubesim/kubesim.yaml).", valueName: "file"),
        completion: .file())
    var config: String?

    /// What the flags and the file say together; a node's own two flags are given by whoever has them.
    func configuration(manifests: String? = nil, podLogs: String? = nil) throws(NodeError) -> NodeConfiguration {
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
