import ArgumentParser
import CRI
import JSON

/// `crictl inspectp`
struct InspectPodCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspectp", abstract: "Display the status of one or more pods",
        discussion: "  kubesim crictl inspectp --name web | jq -r .status.network.ip")

    @Argument(help: "The pods' ids") var podID: [String] = []
    @Option(name: .shortAndLong, help: "Output format: json, yaml, go-template, table") var output = OutputFormat.json
    @Flag(name: .shortAndLong, help: "Do not show verbose information") var quiet = false
    @Option(help: "The template of go-template, as in '{{.status.id}}'") var template: String?
    @Option(help: "Filter by pod name regular expression pattern") var name: String?
    @Option(help: "Filter by pod namespace regular expression pattern") var namespace: String?
    @Option(name: .shortAndLong, help: "Filter by pod state: ready, notready") var state: String?
    @Option(help: "Filter by key=value label") var label: [String] = []
    @Flag(name: .shortAndLong, help: "Show the most recently created pod") var latest = false
    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: "Show last n recently created pods. Set 0 for unlimited")
    var last: Int?

    func run() async throws {
        let selection = SandboxSelection(
            name: name, namespace: namespace, state: state, labels: label, latest: latest, last: last)
        try await withServices { services in
            let ids = podID.isEmpty ? try await selection.sandboxes(services).map(\.id) : podID
            guard !ids.isEmpty else { throw Failure("no pod ids were given, and none was found by the filter") }
            var documents: [JSONValue] = []
            for id in ids {
                var request = CRIPodSandboxStatusRequest()
                request.podSandboxID = id
                request.verbose = !quiet
                let asked = request
                let response = try await doing("get the status of pod \"\(id)\"") {
                    try await services.runtime.podSandboxStatus(asked)
                }
                if output == .table {
                    show(Self.listing(response, verbose: !quiet))
                } else {
                    documents.append(
                        StatusDocument.make(status: try StatusDocument.sandbox(response.status), info: response.info))
                }
            }
            if output != .table { try output.print(StatusDocument.joined(documents), template: template) }
        }
    }

    private static func listing(_ response: CRIPodSandboxStatusResponse, verbose: Bool) -> String {
        let status = response.status
        var listing = Listing()
        listing.add("ID", status.id)
        listing.addUnlessEmpty("Name", status.metadata.name)
        listing.addUnlessEmpty("UID", status.metadata.uid)
        listing.addUnlessEmpty("Namespace", status.metadata.namespace)
        listing.add("Attempt", "\(status.metadata.attempt)")
        listing.add("Status", status.state == .sandboxReady ? "SANDBOX_READY" : "SANDBOX_NOTREADY")
        listing.add("Created", Timestamp.words(nanoseconds: status.createdAt))
        if status.hasNetwork {
            listing.add("IP Addresses", status.network.ip)
            for address in status.network.additionalIps { listing.add("Additional IP", address.ip) }
        }
        listing.add("Labels", status.labels)
        listing.add("Annotations", status.annotations)
        if verbose { listing.add("Info", mapText(response.info)) }
        return listing.text
    }
}
