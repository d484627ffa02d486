import CRI

/// Which containers a command is about: what `ps`, `inspect` and `exec` can be given.
struct ContainerSelection: Sendable {
    var id: String?
    var name: String?
    var namespace: String?
    var pod: String?
    var image: String?
    var state: String?
    var labels: [String] = []
    var latest = false
    var last: Int?
    var all = false

    /// The containers, newest first.
    func containers(_ services: Services) async throws -> [CRIContainer] {
        var request = CRIListContainersRequest()
        request.filter = try filter()
        let name = try Pattern(name)
        let namespace = try Pattern(namespace)
        let listed = try await doing("listing containers") { try await services.runtime.listContainers(request) }
        var containers: [CRIContainer] = []
        for container in listed.containers {
            guard container.hasMetadata, name.matches(container.metadata.name),
                namespace.matches(container.podNamespace)
            else { continue }
            if let image, try await !sameImage(image, container.image.image, services) { continue }
            containers.append(container)
        }
        containers.sort { $0.createdAt > $1.createdAt }
        return Array(containers.prefix(limit(latest: latest, last: last)))
    }

    private func filter() throws -> CRIContainerFilter {
        var filter = CRIContainerFilter()
        filter.id = id ?? ""
        filter.podSandboxID = pod ?? ""
        filter.labelSelector = try parseLabels(labels)
        if let state {
            filter.state.state = try Self.state(state)
        } else if !all {
            filter.state.state = .containerRunning
        }
        // The newest are wanted in whatever state they are.
        if latest || (last ?? 0) > 0 { filter.clearState() }
        return filter
    }

    private static func state(_ text: String) throws -> CRIContainerState {
        switch text.lowercased() {
        case "created": .containerCreated
        case "running": .containerRunning
        case "exited": .containerExited
        case "unknown": .containerUnknown
        default: throw Failure("--state should be one of created, running, exited or unknown")
        }
    }

    private func sameImage(_ wanted: String, _ used: String, _ services: Services) async throws -> Bool {
        guard let wanted = try await services.imageID(wanted) else { return false }
        return try await services.imageID(used) == wanted
    }
}

/// Which sandboxes a command is about.
struct SandboxSelection: Sendable {
    var id: String?
    var name: String?
    var namespace: String?
    var state: String?
    var labels: [String] = []
    var latest = false
    var last: Int?

    /// The sandboxes, newest first.
    func sandboxes(_ services: Services) async throws -> [CRIPodSandbox] {
        var request = CRIListPodSandboxRequest()
        request.filter.id = id ?? ""
        request.filter.labelSelector = try parseLabels(labels)
        switch state?.lowercased() {
        case nil: break
        case "ready": request.filter.state.state = .sandboxReady
        case "notready": request.filter.state.state = .sandboxNotready
        default: throw Failure("--state should be ready or notready")
        }
        let name = try Pattern(name)
        let namespace = try Pattern(namespace)
        let listed = try await doing("listing pods") { try await services.runtime.listPodSandbox(request) }
        let sandboxes = listed.items
            .filter {
                $0.hasMetadata && name.matches($0.metadata.name) && namespace.matches($0.metadata.namespace)
            }
            .sorted { $0.createdAt > $1.createdAt }
        return Array(sandboxes.prefix(limit(latest: latest, last: last)))
    }
}

/// How many of a list are wanted.
private func limit(latest: Bool, last: Int?) -> Int {
    if let last, last > 0 { return last }
    return latest ? 1 : .max
}

/// The words of an option that may be given several times, and that takes several with commas between them.
func commaSeparated(_ words: [String]) -> [String] {
    words.flatMap { $0.split(separator: ",", omittingEmptySubsequences: true).map(String.init) }
}

/// `key=value`, several times.
func parseLabels(_ labels: [String]) throws -> [String: String] {
    var parsed: [String: String] = [:]
    for label in commaSeparated(labels) {
        let parts = label.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Failure("incorrectly specified label: \(label); key=value is expected") }
        parsed[String(parts[0])] = String(parts[1])
    }
    return parsed
}

/// A regular expression that may match anywhere in a text; none matches everything.
struct Pattern {
    private let regex: Regex<AnyRegexOutput>?

    init(_ text: String?) throws {
        guard let text, !text.isEmpty else {
            regex = nil
            return
        }
        do { regex = try Regex(text) } catch { throw Failure("invalid regular expression \"\(text)\": \(error)") }
    }

    func matches(_ text: String) -> Bool {
        guard let regex else { return true }
        return text.firstMatch(of: regex) != nil
    }
}

extension Services {
    /// The id of an image, nil when there is no such image.
    func imageID(_ reference: String) async throws -> String? {
        var request = CRIImageStatusRequest()
        request.image.image = reference
        let asked = request
        let status = try await doing("image status of \"\(reference)\"") { try await images.imageStatus(asked) }
        return status.hasImage ? status.image.id : nil
    }
}

extension CRIContainer {
    /// From kubelet's labels; "unknown" when another made the container.
    var podName: String { labels["io.kubernetes.pod.name"] ?? "unknown" }
    var podNamespace: String { labels["io.kubernetes.pod.namespace"] ?? "unknown" }
}
