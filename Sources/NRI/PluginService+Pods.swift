public import CRI
import OCISpec
public import Sandboxes
import SwiftProtobuf
import TTRPC

extension PluginService: PodHooks {
    public func run(_ pod: HookedPod) async throws(CRIError) {
        if plugins.isEmpty { return }
        let pod = NRIPodSandbox(pod)
        try await each("RunPodSandbox") { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .runPodSandbox, "RunPodSandbox", NRIRunPodSandboxRequest.with { $0.pod = pod },
                change(.runPodSandbox, pod, nil))
        }
    }

    public func update(_ pod: HookedPod, _ resources: PodResourceChange) async throws(CRIError) {
        if plugins.isEmpty { return }
        let request = NRIUpdatePodSandboxRequest.with {
            $0.pod = NRIPodSandbox(pod)
            if let overhead = resources.overhead { $0.overheadLinuxResources = NRILinuxResources(overhead) }
            if let limits = resources.resources { $0.linuxResources = NRILinuxResources(limits) }
        }
        try await each("UpdatePodSandbox") { (plugin) throws(CallFailure) in
            let _: NRIUpdatePodSandboxResponse? = try await plugin.ask(.updatePodSandbox, "UpdatePodSandbox", request)
        }
    }

    public func updated(_ pod: HookedPod) async {
        if plugins.isEmpty { return }
        let pod = NRIPodSandbox(pod)
        await tell("PostUpdatePodSandbox", pod, nil) { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .postUpdatePodSandbox, "PostUpdatePodSandbox",
                NRIPostUpdatePodSandboxRequest.with { $0.pod = pod }, change(.postUpdatePodSandbox, pod, nil))
        }
    }

    public func stopped(_ pod: HookedPod) async {
        if plugins.isEmpty { return }
        let pod = NRIPodSandbox(pod)
        await tell("StopPodSandbox", pod, nil) { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .stopPodSandbox, "StopPodSandbox", NRIStopPodSandboxRequest.with { $0.pod = pod },
                change(.stopPodSandbox, pod, nil))
        }
    }

    public func removed(_ pod: HookedPod) async {
        if plugins.isEmpty { return }
        let pod = NRIPodSandbox(pod)
        await tell("RemovePodSandbox", pod, nil) { (plugin) throws(CallFailure) in
            try await plugin.tell(
                .removePodSandbox, "RemovePodSandbox", NRIRemovePodSandboxRequest.with { $0.pod = pod },
                change(.removePodSandbox, pod, nil))
        }
    }
}
