import CRI
import SwiftProtobuf

extension Engine {
    public func listPodSandbox(
        _ request: CRIListPodSandboxRequest
    ) async throws(CRIError) -> CRIListPodSandboxResponse {
        CRIListPodSandboxResponse.with { $0.items = list(request.filter) }
    }

    public func streamPodSandboxes(
        _ request: CRIStreamPodSandboxesRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxesResponse, any Error> {
        chunks(list(request.filter)) { items in CRIStreamPodSandboxesResponse.with { $0.podSandboxes = items } }
    }

    public func listContainers(
        _ request: CRIListContainersRequest
    ) async throws(CRIError) -> CRIListContainersResponse {
        CRIListContainersResponse.with { $0.containers = list(request.filter) }
    }

    public func streamContainers(
        _ request: CRIStreamContainersRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamContainersResponse, any Error> {
        chunks(list(request.filter)) { items in CRIStreamContainersResponse.with { $0.containers = items } }
    }

    /// The sandboxes that a filter lets through, newest first, as people expect of a table.
    // The beginning of several ids lets none through, as one of no id does.
    private func list(_ filter: CRIPodSandboxFilter) -> [CRIPodSandbox] {
        let wanted = filter.id.isEmpty ? nil : try? findSandbox(filter.id)
        if !filter.id.isEmpty, wanted == nil { return [] }
        return sandboxes.values.filter { entry in
            entry.isVisible && (wanted == nil || entry.record.id == wanted)
                && (!filter.hasState || filter.state.state == entry.state)
                && filter.labelSelector.allSatisfy { entry.record.config.labels[$0.key] == $0.value }
        }.sorted { $0.record.createdAtNanoseconds > $1.record.createdAtNanoseconds }.map { entry in
            var item = CRIPodSandbox()
            item.id = entry.record.id.text
            item.metadata = entry.record.config.metadata
            item.state = entry.state
            item.createdAt = entry.record.createdAtNanoseconds
            item.labels = entry.record.config.labels
            item.annotations = entry.record.config.annotations
            item.runtimeHandler = entry.record.runtimeHandler
            return item
        }
    }

    /// The containers that a filter lets through, newest first.
    private func list(_ filter: CRIContainerFilter) -> [CRIContainer] {
        matching(
            id: filter.id, sandbox: filter.podSandboxID, labels: filter.labelSelector,
            state: filter.hasState ? filter.state.state : nil
        ).map { entry in
            let record = entry.record
            var item = CRIContainer()
            item.id = record.id.text
            item.podSandboxID = record.sandbox.text
            item.metadata = record.config.metadata
            item.image = record.config.image
            item.imageRef = record.imageRef
            item.imageID = record.imageID
            item.state = ContainerEntry.state(of: record)
            item.createdAt = record.createdAtNanoseconds
            item.labels = record.config.labels
            item.annotations = record.config.annotations
            return item
        }
    }

    /// Visible containers by id, sandbox, labels and state, newest first.
    func matching(
        id: String, sandbox: String, labels: [String: String], state: CRIContainerState?
    ) -> [ContainerEntry] {
        let wanted = id.isEmpty ? nil : try? findContainer(id)
        let owner = sandbox.isEmpty ? nil : try? findSandbox(sandbox)
        if !id.isEmpty && wanted == nil || !sandbox.isEmpty && owner == nil { return [] }
        return containers.values.filter { entry in
            entry.isVisible && (wanted == nil || entry.record.id == wanted)
                && (owner == nil || entry.record.sandbox == owner)
                && (state == nil || state == ContainerEntry.state(of: entry.record))
                && labels.allSatisfy { entry.record.config.labels[$0.key] == $0.value }
        }.sorted { $0.record.createdAtNanoseconds > $1.record.createdAtNanoseconds }
    }

    /// A list as a stream of pieces of 256.
    func chunks<Item: Sendable, Response: Sendable>(
        _ items: [Item], _ pack: @escaping @Sendable ([Item]) -> Response
    ) -> AsyncThrowingStream<Response, any Error> {
        var rest = items[...]
        return AsyncThrowingStream { continuation in
            while !rest.isEmpty {
                continuation.yield(pack(Array(rest.prefix(256))))
                rest = rest.dropFirst(256)
            }
            continuation.finish()
        }
    }
}
