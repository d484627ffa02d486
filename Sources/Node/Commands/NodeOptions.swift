import ArgumentParser

/// The flags that say where a node keeps things; the same for every command that works on a node's files.
struct NodeOptions: ParsableArguments {
    @OptionGroup var shared: PlaceOptions

    @Option(
        help: ArgumentHelp("The directory whose files are Pod manifests.", valueName: "dir"), completion: .directory)
    var manifests: String?

    @Option(
        help: ArgumentHelp("Logs, as NAMESPACE_NAME_UID/CONTAINER/N.log.", valueName: "dir"), completion: .directory)
    var podLogs: String?

    /// What the flags and the file say together.
    func configuration() throws(NodeError) -> NodeConfiguration {
        try shared.configuration(manifests: manifests, podLogs: podLogs)
    }

    func places(_ configuration: NodeConfiguration) -> NodePlaces { shared.places(configuration) }
}
