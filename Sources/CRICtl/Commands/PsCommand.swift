import ArgumentParser
import CRI

/// `crictl ps`
struct PsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List containers",
        discussion: """
            kubesim crictl ps -a
              kubesim crictl ps --pod 4ba0a2b1c2d3e --state exited
              kubesim crictl ps -q --name '^web$'
            """)

    @Flag(name: .shortAndLong, help: "Show verbose information for containers") var verbose = false
    @Option(help: "Filter by container id") var id: String?
    @Option(help: "Filter by container name regular expression pattern") var name: String?
    @Option(name: .shortAndLong, help: "Filter by pod id") var pod: String?
    @Option(help: "Filter by container image") var image: String?
    @Option(name: .shortAndLong, help: "Filter by container state: created, running, exited, unknown")
    var state: String?
    @Option(help: "Filter by key=value label") var label: [String] = []
    @Flag(name: .shortAndLong, help: "Only display container IDs") var quiet = false
    @Option(name: .shortAndLong, help: "Output format: json, yaml, table") var output = OutputFormat.table
    @Flag(name: .shortAndLong, help: "Show all containers") var all = false
    @Flag(name: .shortAndLong, help: "Show the most recently created container (includes all states)")
    var latest = false
    @Option(
        name: [.customShort("n"), .long],
        help: "Show last n recently created containers (includes all states). Set 0 for unlimited.")
    var last: Int?
    @Flag(help: "Show output without truncating the ID") var noTrunc = false
    @Flag(name: [.customShort("r"), .long], help: "Show image path instead of image id") var resolveImagePath = false
    @Option(help: "Filter by pod namespace regular expression pattern") var namespace: String?

    func run() async throws {
        let selection = ContainerSelection(
            id: id, name: name, namespace: namespace, pod: pod, image: image, state: state, labels: label,
            latest: latest, last: last, all: all)
        try await withServices { services in
            let containers = try await selection.containers(services)
            guard output == .table else {
                var response = CRIListContainersResponse()
                response.containers = containers
                return try output.print(response)
            }
            if quiet { return containers.forEach { say($0.id) } }
            if verbose { return containers.forEach { show(Self.listing($0) + "\n") } }
            show(try await table(containers, services).text)
        }
    }

    private func table(_ containers: [CRIContainer], _ services: Services) async throws -> Table {
        var table = Table([
            "CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE",
        ])
        for container in containers {
            var image = container.image.image
            if resolveImagePath { image = try await services.firstTag(image) ?? image }
            // Kubelet puts the image's id there.
            if !noTrunc, image.hasPrefix("sha256:") { image = Human.shortID(image) }
            table.add([
                noTrunc ? container.id : Human.shortID(container.id), image, Human.ago(container.createdAt),
                container.state.word, container.metadata.name, "\(container.metadata.attempt)",
                noTrunc ? container.podSandboxID : Human.shortID(container.podSandboxID), container.podName,
                container.podNamespace,
            ])
        }
        return table
    }

    private static func listing(_ container: CRIContainer) -> String {
        var listing = Listing()
        listing.add("ID", container.id)
        listing.add("PodID", container.podSandboxID)
        listing.add("Namespace", container.podNamespace)
        listing.addUnlessEmpty("Name", container.metadata.name)
        listing.add("Attempt", "\(container.metadata.attempt)")
        listing.add("State", container.state.word)
        if container.hasImage { listing.add("Image", container.image.image) }
        listing.add("Created", Human.ago(container.createdAt))
        listing.add("Labels", container.labels)
        listing.add("Annotations", container.annotations)
        return listing.text
    }
}

extension CRIContainerState {
    /// As tables show it.
    var word: String {
        switch self {
        case .containerCreated: "Created"
        case .containerRunning: "Running"
        case .containerExited: "Exited"
        case .containerUnknown: "Unknown"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}

extension Services {
    /// The first name of an image; nil when it has none.
    fileprivate func firstTag(_ reference: String) async throws -> String? {
        var request = CRIImageStatusRequest()
        request.image.image = reference
        return try await images.imageStatus(request).image.repoTags.first
    }
}
