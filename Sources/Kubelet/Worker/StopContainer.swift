import CRI
import FoundationEssentials
import KubeTypes
import Logging
import SwiftProtobuf

extension PodHands {
    /// The least time between the stop signal and the kill, whatever a hook has used up (upstream's two seconds).
    static let leastGraceSeconds: Int64 = 2

    /// Stops one container: preStop hook, then the stop signal, then SIGKILL after the grace period.
    ///
    /// - Parameter container: nil for an orphan, whose hook and grace come from its annotations
    func kill(_ order: KillOrder, _ fact: ContainerFact, _ pod: Pod?, addresses: [String]) async throws(CRIError) {
        let container = pod?.allContainers.first { $0.name == order.name }
        var grace =
            order.graceSeconds ?? pod?.spec.terminationGracePeriodSeconds
            ?? fact.annotations[KubeletLabels.podGracePeriod].flatMap(Int64.init) ?? 30
        logger.info(
            "Stopping container",
            metadata: [
                "container": "\(order.name)", "id": "\(order.id)", "why": "\(order.why.text)", "grace": "\(grace)s",
            ])
        report(.killing(container: order.name, why: order.why.text))
        if grace > 0, fact.state == .running, let hook = container?.lifecycle?.preStop ?? hook(of: fact) {
            let began = clock.now
            do {
                try await hooks.run(
                    hook, container ?? Container(name: order.name), pod ?? Pod(), containerID: order.id,
                    addresses: addresses, limit: .seconds(grace))
            } catch {
                logger.warning(
                    "preStop hook failed", metadata: ["container": "\(order.name)", "error": "\(error)"])
            }
            if Task.isCancelled { throw CRIError(.cancelled, "container \(order.name): its stop was broken off") }
            grace -= (clock.now - began).components.seconds
        }
        grace = order.graceSeconds ?? max(grace, Self.leastGraceSeconds)
        do {
            _ = try await runtime.stopContainer(
                CRIStopContainerRequest.with {
                    $0.containerID = order.id
                    $0.timeout = grace
                })
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    private func hook(of fact: ContainerFact) -> LifecycleHandler? {
        guard let text = fact.annotations[KubeletLabels.preStop] else { return nil }
        // An annotation that isn't ours to read is no hook.
        return try? JSONDecoder().decode(LifecycleHandler.self, from: Data(text.utf8))
    }

    func stopSandbox(_ id: String) async throws(CRIError) {
        do {
            _ = try await runtime.stopPodSandbox(CRIStopPodSandboxRequest.with { $0.podSandboxID = id })
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    func remove(sandbox id: String) async throws(CRIError) {
        do {
            _ = try await runtime.removePodSandbox(CRIRemovePodSandboxRequest.with { $0.podSandboxID = id })
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    func remove(container id: String) async throws(CRIError) {
        do {
            _ = try await runtime.removeContainer(CRIRemoveContainerRequest.with { $0.containerID = id })
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// Takes away what the kubelet made for the pod: volumes, directory, logs, cgroup.
    func finish(uid: String) async throws {
        try await cgroups.remove(uid: uid)
        try PodLogs(paths: paths).removeAll()
        // Last: should we end before, its directory tells the next kubelet that something is left.
        try PodVolumes(paths: paths).tearDown()
    }
}

extension KillOrder.Why {
    /// For the log and for people.
    var text: String {
        switch self {
        case .liveness(let message): "failed its liveness probe" + (message.isEmpty ? "" : ": \(message)")
        case .startup(let message): "failed its startup probe" + (message.isEmpty ? "" : ": \(message)")
        case .definitionChanged: "its definition changed"
        case .unknownState: "its state is unknown"
        case .sandboxGone: "its sandbox is gone or unfit"
        case .podStopped: "the pod is stopped"
        case .podFinished: "the pod has finished"
        case .deadline: "the pod's activeDeadlineSeconds have passed"
        }
    }
}
