import ArgumentParser
import CRI
import JSON

/// `crictl inspect`
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Display the status of one or more containers",
        discussion: """
            kubesim crictl inspect 1f73f2d81bf98 | jq .info.pid
              kubesim crictl inspect --name web -o yaml
            """)

    @Argument(help: "The containers' ids") var containerID: [String] = []
    @Option(name: .shortAndLong, help: "Output format: json, yaml, go-template, table") var output = OutputFormat.json
    @Flag(name: .shortAndLong, help: "Do not show verbose information") var quiet = false
    @Option(help: "The template of go-template, as in '{{.status.id}}'") var template: String?
    @Option(help: "Filter by container name regular expression pattern") var name: String?
    @Option(help: "Filter by pod namespace regular expression pattern") var namespace: String?
    @Option(name: .shortAndLong, help: "Filter by pod id") var pod: String?
    @Option(help: "Filter by container image") var image: String?
    @Option(name: .shortAndLong, help: "Filter by container state") var state: String?
    @Option(help: "Filter by key=value label") var label: [String] = []
    @Flag(name: .shortAndLong, help: "Show the most recently created container (includes all states)")
    var latest = false
    @Option(
        name: [.customShort("n"), .long],
        help: "Show last n recently created containers (includes all states). Set 0 for unlimited.")
    var last: Int?
    @Flag(name: .shortAndLong, help: "Show all containers") var all = false

    func run() async throws {
        let selection = ContainerSelection(
            name: name, namespace: namespace, pod: pod, image: image, state: state, labels: label, latest: latest,
            last: last, all: all)
        try await withServices { services in
            let ids = containerID.isEmpty ? try await selection.containers(services).map(\.id) : containerID
            guard !ids.isEmpty else { throw Failure("no container ids were given, and none was found by the filter") }
            var documents: [JSONValue] = []
            for id in ids {
                var request = CRIContainerStatusRequest()
                request.containerID = id
                request.verbose = !quiet
                let asked = request
                let response = try await doing("get the status of container \"\(id)\"") {
                    try await services.runtime.containerStatus(asked)
                }
                if output == .table {
                    show(Self.listing(response, verbose: !quiet))
                } else {
                    documents.append(
                        StatusDocument.make(status: try StatusDocument.container(response.status), info: response.info))
                }
            }
            if output != .table { try output.print(StatusDocument.joined(documents), template: template) }
        }
    }

    private static func listing(_ response: CRIContainerStatusResponse, verbose: Bool) -> String {
        let status = response.status
        var listing = Listing()
        listing.add("ID", status.id)
        listing.addUnlessEmpty("Name", status.metadata.name)
        if status.metadata.attempt != 0 { listing.add("Attempt", "\(status.metadata.attempt)") }
        listing.add("State", status.state.protoName)
        listing.add("Created", Human.ago(status.createdAt))
        if status.state != .containerCreated { listing.add("Started", Human.ago(status.startedAt)) }
        if status.state == .containerExited {
            if status.finishedAt > 0 { listing.add("Finished", Human.ago(status.finishedAt)) }
            listing.add("Exit Code", "\(status.exitCode)")
        }
        listing.add("Labels", status.labels)
        listing.add("Annotations", status.annotations)
        if verbose { listing.add("Info", mapText(response.info)) }
        return listing.text
    }
}

extension CRIContainerState {
    /// The name in the protocol.
    var protoName: String {
        switch self {
        case .containerCreated: "CONTAINER_CREATED"
        case .containerRunning: "CONTAINER_RUNNING"
        case .containerExited: "CONTAINER_EXITED"
        case .containerUnknown: "CONTAINER_UNKNOWN"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}

/// A map on one line: `map[key:value]`.
func mapText(_ map: [String: String]) -> String {
    "map[" + map.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ") + "]"
}
