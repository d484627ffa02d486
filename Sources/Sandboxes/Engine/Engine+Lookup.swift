import CRI
import Logging

extension Engine {
    /// The sandbox that an id, or the unambiguous beginning of one, stands for.
    ///
    /// - Throws: `.invalidArgument` for the beginning of several.
    func findSandbox(_ text: String) throws(CRIError) -> SandboxID? {
        if let id = SandboxID(text) { return sandboxes[id] == nil ? nil : id }
        guard !text.isEmpty else { return nil }
        let matches = sandboxes.keys.filter { $0.text.hasPrefix(text) }
        if matches.count > 1 { throw Self.ambiguous(text, matches.map(\.short)) }
        return matches.first
    }

    /// The container that an id, or the unambiguous beginning of one, stands for.
    ///
    /// - Throws: `.invalidArgument` for the beginning of several.
    func findContainer(_ text: String) throws(CRIError) -> ContainerID? {
        if let id = ContainerID(text) { return containers[id] == nil ? nil : id }
        guard !text.isEmpty else { return nil }
        let matches = containers.keys.filter { $0.text.hasPrefix(text) }
        if matches.count > 1 { throw Self.ambiguous(text, matches.map(\.short)) }
        return matches.first
    }

    private static func ambiguous(_ text: String, _ ids: [String]) -> CRIError {
        let some = ids.sorted().prefix(8).joined(separator: ", ") + (ids.count > 8 ? ", …" : "")
        return CRIError(.invalidArgument, "\(ids.count) ids begin with \"\(text.prefix(80))\": \(some)")
    }

    /// The visible sandbox of that name.
    func sandbox(_ text: String) throws(CRIError) -> SandboxEntry {
        guard let id = try findSandbox(text), let entry = sandboxes[id], entry.isVisible else {
            throw CRIError(.notFound, "pod sandbox \"\(text.prefix(80))\": not found")
        }
        return entry
    }

    /// The visible container of that name.
    func container(_ text: String) throws(CRIError) -> ContainerEntry {
        guard let id = try findContainer(text), let entry = containers[id], entry.isVisible else {
            throw CRIError(.notFound, "container \"\(text.prefix(80))\": not found")
        }
        return entry
    }

    /// The shim of a container's sandbox.
    ///
    /// - Throws: `.unavailable` when it is gone.
    func shim(of sandbox: SandboxID, for what: String) throws(CRIError) -> any PodShim {
        guard let shim = sandboxes[sandbox]?.shim else {
            throw CRIError(.unavailable, "\(what): the shim of pod \(podName(sandbox)) is gone")
        }
        return shim
    }

    /// The containers of a sandbox, oldest first.
    func containers(of sandbox: SandboxID) -> [ContainerEntry] {
        containers.values.filter { $0.record.sandbox == sandbox }
            .sorted {
                ($0.record.createdAtNanoseconds, $0.record.id.text) < (
                    $1.record.createdAtNanoseconds, $1.record.id.text
                )
            }
    }

    /// `namespace/name` of a sandbox, for messages.
    func podName(_ id: SandboxID) -> String {
        guard let metadata = sandboxes[id]?.record.config.metadata else { return id.short }
        return "\(metadata.namespace)/\(metadata.name)"
    }

    /// `pod namespace/name, container web`, for messages.
    func describe(_ record: ContainerRecord) -> String {
        "pod \(podName(record.sandbox)), container \(record.config.metadata.name)"
    }
}
