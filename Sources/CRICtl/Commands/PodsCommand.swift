import ArgumentParser
import CRI

/// `crictl pods`
struct PodsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pods", abstract: "List pods",
        discussion: """
            kubesim crictl pods --namespace kube-system
              kubesim crictl pods --state notready -q
            """)

    @Option(help: "Filter by pod id") var id: String?
    @Option(help: "Filter by pod name regular expression pattern") var name: String?
    @Option(help: "Filter by pod namespace regular expression pattern") var namespace: String?
    @Option(name: .shortAndLong, help: "Filter by pod state: ready, notready") var state: String?
    @Option(help: "Filter by key=value label") var label: [String] = []
    @Flag(name: .shortAndLong, help: "Show verbose info for pods") var verbose = false
    @Flag(name: .shortAndLong, help: "List only pod IDs") var quiet = false
    @Option(name: .shortAndLong, help: "Output format: json, yaml, table") var output = OutputFormat.table
    @Flag(name: .shortAndLong, help: "Show the most recently created pod") var latest = false
    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: "Show last n recently created pods. Set 0 for unlimited")
    var last: Int?
    @Flag(help: "Show output without truncating the ID") var noTrunc = false

    func run() async throws {
        let selection = SandboxSelection(
            id: id, name: name, namespace: namespace, state: state, labels: label, latest: latest, last: last)
        let pods = try await withServices { try await selection.sandboxes($0) }
        guard output == .table else {
            var response = CRIListPodSandboxResponse()
            response.items = pods
            return try output.print(response)
        }
        if quiet { return pods.forEach { say($0.id) } }
        if verbose { return pods.forEach { show(Self.listing($0) + "\n") } }
        var table = Table(["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"])
        for pod in pods {
            table.add([
                noTrunc ? pod.id : Human.shortID(pod.id), Human.ago(pod.createdAt), pod.state.word, pod.metadata.name,
                pod.metadata.namespace, "\(pod.metadata.attempt)", pod.runtimeWord,
            ])
        }
        show(table.text)
    }

    private static func listing(_ pod: CRIPodSandbox) -> String {
        var listing = Listing()
        listing.add("ID", pod.id)
        listing.addUnlessEmpty("Name", pod.metadata.name)
        listing.addUnlessEmpty("UID", pod.metadata.uid)
        listing.addUnlessEmpty("Namespace", pod.metadata.namespace)
        if pod.metadata.attempt != 0 { listing.add("Attempt", "\(pod.metadata.attempt)") }
        listing.add("Status", pod.state.word)
        listing.add("Created", Timestamp.words(nanoseconds: pod.createdAt))
        listing.add("Labels", pod.labels)
        listing.add("Annotations", pod.annotations)
        listing.add("Runtime", pod.runtimeWord)
        return listing.text
    }
}

extension CRIPodSandboxState {
    /// As tables show it.
    var word: String {
        switch self {
        case .sandboxReady: "Ready"
        case .sandboxNotready: "NotReady"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}

extension CRIPodSandbox {
    /// The runtime handler as tables show it.
    var runtimeWord: String { runtimeHandler.isEmpty ? "(default)" : runtimeHandler }
}
