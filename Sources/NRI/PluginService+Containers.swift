public import CRI
public import OCISpec
public import Sandboxes
import SwiftProtobuf
import TTRPC

extension PluginService {
    public func created(_ container: HookedContainer, in pod: HookedPod) async {
        if plugins.isEmpty { return }
        let (container, pod) = (NRIContainer(container), NRIPodSandbox(pod))
        let request = NRIPostCreateContainerRequest.with {
            $0.pod = pod
            $0.container = container
        }
        await tell("PostCreateContainer", pod, container) { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .postCreateContainer, "PostCreateContainer", request, change(.postCreateContainer, pod, container))
        }
    }

    public func start(_ container: HookedContainer, in pod: HookedPod) async throws(CRIError) {
        if plugins.isEmpty { return }
        let (container, pod) = (NRIContainer(container), NRIPodSandbox(pod))
        let request = NRIStartContainerRequest.with {
            $0.pod = pod
            $0.container = container
        }
        try await each("StartContainer") { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .startContainer, "StartContainer", request, change(.startContainer, pod, container))
        }
    }

    public func started(_ container: HookedContainer, in pod: HookedPod) async {
        if plugins.isEmpty { return }
        let (container, pod) = (NRIContainer(container), NRIPodSandbox(pod))
        let request = NRIPostStartContainerRequest.with {
            $0.pod = pod
            $0.container = container
        }
        await tell("PostStartContainer", pod, container) { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .postStartContainer, "PostStartContainer", request, change(.postStartContainer, pod, container))
        }
    }

    public func update(
        _ container: HookedContainer, in pod: HookedPod, _ resources: LinuxResources
    ) async throws(CRIError) -> ResourceChange {
        if plugins.isEmpty { return ResourceChange(resources: resources) }
        let (view, pod) = (NRIContainer(container), NRIPodSandbox(pod))
        var collected = Collected(view)
        try await each("UpdateContainer") { (plugin) throws(CallFailure) in
            let own = collected.updates.first { $0.containerID == view.id }
            let request = NRIUpdateContainerRequest.with {
                $0.pod = pod
                $0.container = view
                $0.linuxResources = NRILinuxResources(resources)
                if let own { $0.linuxResources.take(own.linux.resources) }
            }
            let answer: NRIUpdateContainerResponse? = try await plugin.ask(
                .updateContainer, "UpdateContainer", request)
            guard let answer else { return }
            do throws(Conflict) {
                try collected.add(answer.update, by: plugin.name)
            } catch {
                throw CallFailure(.unknown, "\(error)")
            }
            collected.add(evictions: answer.evict)
        }
        let own = collected.updates.first { $0.containerID == view.id }
        return ResourceChange(
            resources: own.map { resources.merged(with: $0.linux.resources.spec) } ?? resources,
            updates: PluginService.updates(collected.updates.filter { $0.containerID != view.id }),
            evictions: PluginService.evictions(collected.evictions))
    }

    public func updated(_ container: HookedContainer, in pod: HookedPod) async {
        if plugins.isEmpty { return }
        let (container, pod) = (NRIContainer(container), NRIPodSandbox(pod))
        let request = NRIPostUpdateContainerRequest.with {
            $0.pod = pod
            $0.container = container
        }
        await tell("PostUpdateContainer", pod, container) { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .postUpdateContainer, "PostUpdateContainer", request, change(.postUpdateContainer, pod, container))
        }
    }

    public func stopped(_ container: HookedContainer, in pod: HookedPod) async -> [ResourceUpdate] {
        if plugins.isEmpty { return [] }
        let (container, pod) = (NRIContainer(container), NRIPodSandbox(pod))
        let request = NRIStopContainerRequest.with {
            $0.pod = pod
            $0.container = container
        }
        var updates: [NRIContainerUpdate] = []
        await tell("StopContainer", pod, container) { (plugin) throws(CallFailure) in
            let answer: NRIStopContainerResponse? = try await plugin.ask(.stopContainer, "StopContainer", request)
            updates += answer?.update ?? []
        }
        return PluginService.updates(updates)
    }

    public func removed(_ container: HookedContainer, in pod: HookedPod) async {
        if plugins.isEmpty { return }
        let (container, pod) = (NRIContainer(container), NRIPodSandbox(pod))
        let request = NRIRemoveContainerRequest.with {
            $0.pod = pod
            $0.container = container
        }
        await tell("RemoveContainer", pod, container) { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .removeContainer, "RemoveContainer", request, change(.removeContainer, pod, container))
        }
    }
}
