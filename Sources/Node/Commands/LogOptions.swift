import ArgumentParser

/// The flags that say how much of a container's output is kept.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The most that one file of a container's log holds; a negative size keeps everything (default: 10Mi).",
            valueName: "size"))
    var containerLogMaxSize: String?

    @Option(help: ArgumentHelp("How many files a container's log has at most (default: 5).", valueName: "count"))
    var containerLogMaxFiles: String?

    /// These, and what the configuration file says where they are silent.
    func over(_ configured: ContainerLogWishes) -> ContainerLogWishes {
        ContainerLogWishes(maxSize: containerLogMaxSize, maxFiles: containerLogMaxFiles).over(configured)
    }
}
