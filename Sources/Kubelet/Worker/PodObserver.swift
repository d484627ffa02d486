import CRI
import Glibc
import KubeTypes
import Linux
import SwiftProtobuf
import Synchronization

/// Looks at one pod in the runtime.
///
/// Two lists filtered by the pod's uid, then the statuses that may still change; what an ended container said is kept.
final class PodObserver: Sendable {
    private let runtime: any RuntimeService
    private let uid: String
    private let paths: PodPaths
    private let ended = Mutex<[String: ContainerFact]>([:])

    init(runtime: any RuntimeService, uid: String, paths: PodPaths) {
        self.runtime = runtime
        self.uid = uid
        self.paths = paths
    }

    func look() async throws(CRIError) -> PodSnapshot {
        let selector = [KubeletLabels.podUID: uid]
        let sandboxes = try await runtime.listPodSandbox(
            CRIListPodSandboxRequest.with { $0.filter.labelSelector = selector }
        ).items
        let containers = try await runtime.listContainers(
            CRIListContainersRequest.with { $0.filter.labelSelector = selector }
        ).containers
        var snapshot = PodSnapshot()
        for sandbox in sandboxes {
            if let fact = try await fact(sandbox) { snapshot.sandboxes.append(fact) }
        }
        for container in containers where container.labels[KubeletLabels.containerName] != nil {
            if let fact = try await fact(container) { snapshot.containers.append(fact) }
        }
        let living = Set(snapshot.containers.map(\.id))
        ended.withLock { known in known = known.filter { living.contains($0.key) } }
        snapshot.sandboxes.sort { ($0.attempt, $0.createdAt) > ($1.attempt, $1.createdAt) }
        snapshot.containers.sort { ($0.createdAt, $0.restartCount) > ($1.createdAt, $1.restartCount) }
        return snapshot
    }

    /// Nil: it has gone meanwhile.
    private func fact(_ sandbox: CRIPodSandbox) async throws(CRIError) -> SandboxFact? {
        var fact = SandboxFact(
            id: sandbox.id, attempt: sandbox.metadata.attempt, isReady: sandbox.state == .sandboxReady,
            createdAt: WallTime(nanoseconds: sandbox.createdAt), hostNetwork: false, addresses: [])
        do {
            let status = try await runtime.podSandboxStatus(
                CRIPodSandboxStatusRequest.with { $0.podSandboxID = sandbox.id }
            ).status
            fact.isReady = status.state == .sandboxReady
            fact.hostNetwork = status.linux.namespaces.options.network == .node
            fact.addresses = ([status.network.ip] + status.network.additionalIps.map(\.ip)).filter { !$0.isEmpty }
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        return fact
    }

    private func fact(_ container: CRIContainer) async throws(CRIError) -> ContainerFact? {
        if container.state == .containerExited, let known = ended.withLock({ $0[container.id] }) { return known }
        let status: CRIContainerStatus
        do {
            status = try await runtime.containerStatus(
                CRIContainerStatusRequest.with { $0.containerID = container.id }
            ).status
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        var fact = ContainerFact(status, sandbox: container.podSandboxID)
        if fact.labels.isEmpty { fact.labels = container.labels }
        if fact.annotations.isEmpty { fact.annotations = container.annotations }
        if fact.state == .exited {
            fact.message = TerminationMessage.read(status, fact, paths: paths) ?? fact.message
            ended.withLock { $0[container.id] = fact }
        }
        return fact
    }
}

extension ContainerFact {
    init(_ status: CRIContainerStatus, sandbox: String) {
        self.init(
            id: status.id, sandbox: sandbox,
            name: status.labels[KubeletLabels.containerName] ?? status.metadata.name,
            restartCount: status.annotations[KubeletLabels.restartCount].flatMap(Int.init)
                ?? Int(status.metadata.attempt),
            state: State(status.state), createdAt: WallTime(nanoseconds: status.createdAt),
            startedAt: WallTime(nanoseconds: status.startedAt), finishedAt: WallTime(nanoseconds: status.finishedAt),
            exitCode: status.exitCode, reason: status.reason, message: status.message,
            image: status.image.userSpecifiedImage.isEmpty ? status.image.image : status.image.userSpecifiedImage,
            imageID: status.imageID.isEmpty ? status.imageRef : status.imageID,
            hash: status.annotations[KubeletLabels.containerHash] ?? "", logPath: status.logPath,
            labels: status.labels, annotations: status.annotations)
    }
}

extension ContainerFact.State {
    init(_ state: CRIContainerState) {
        switch state {
        case .containerCreated: self = .created
        case .containerRunning: self = .running
        case .containerExited: self = .exited
        default: self = .unknown
        }
    }
}
