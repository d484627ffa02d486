import CRI
import GRPCCore

extension RPCRouter {
    /// Serves every call of `runtime.v1.RuntimeService`.
    mutating func register(_ service: any RuntimeService) {
        unary(CRIRuntimeService.Method.Version.descriptor, service.version)
        unary(CRIRuntimeService.Method.RunPodSandbox.descriptor, service.runPodSandbox)
        unary(CRIRuntimeService.Method.StopPodSandbox.descriptor, service.stopPodSandbox)
        unary(CRIRuntimeService.Method.RemovePodSandbox.descriptor, service.removePodSandbox)
        unary(CRIRuntimeService.Method.PodSandboxStatus.descriptor, service.podSandboxStatus)
        unary(CRIRuntimeService.Method.ListPodSandbox.descriptor, service.listPodSandbox)
        stream(CRIRuntimeService.Method.StreamPodSandboxes.descriptor, service.streamPodSandboxes)
        unary(CRIRuntimeService.Method.CreateContainer.descriptor, service.createContainer)
        unary(CRIRuntimeService.Method.StartContainer.descriptor, service.startContainer)
        unary(CRIRuntimeService.Method.StopContainer.descriptor, service.stopContainer)
        unary(CRIRuntimeService.Method.RemoveContainer.descriptor, service.removeContainer)
        unary(CRIRuntimeService.Method.ListContainers.descriptor, service.listContainers)
        stream(CRIRuntimeService.Method.StreamContainers.descriptor, service.streamContainers)
        unary(CRIRuntimeService.Method.ContainerStatus.descriptor, service.containerStatus)
        unary(CRIRuntimeService.Method.UpdateContainerResources.descriptor, service.updateContainerResources)
        unary(CRIRuntimeService.Method.ReopenContainerLog.descriptor, service.reopenContainerLog)
        unary(CRIRuntimeService.Method.ExecSync.descriptor, service.execSync)
        unary(CRIRuntimeService.Method.Exec.descriptor, service.exec)
        unary(CRIRuntimeService.Method.Attach.descriptor, service.attach)
        unary(CRIRuntimeService.Method.PortForward.descriptor, service.portForward)
        unary(CRIRuntimeService.Method.ContainerStats.descriptor, service.containerStats)
        unary(CRIRuntimeService.Method.ListContainerStats.descriptor, service.listContainerStats)
        stream(CRIRuntimeService.Method.StreamContainerStats.descriptor, service.streamContainerStats)
        unary(CRIRuntimeService.Method.PodSandboxStats.descriptor, service.podSandboxStats)
        unary(CRIRuntimeService.Method.ListPodSandboxStats.descriptor, service.listPodSandboxStats)
        stream(CRIRuntimeService.Method.StreamPodSandboxStats.descriptor, service.streamPodSandboxStats)
        unary(CRIRuntimeService.Method.UpdateRuntimeConfig.descriptor, service.updateRuntimeConfig)
        unary(CRIRuntimeService.Method.Status.descriptor, service.status)
        unary(CRIRuntimeService.Method.CheckpointContainer.descriptor, service.checkpointContainer)
        stream(CRIRuntimeService.Method.GetContainerEvents.descriptor, service.getContainerEvents)
        unary(CRIRuntimeService.Method.ListMetricDescriptors.descriptor, service.listMetricDescriptors)
        unary(CRIRuntimeService.Method.ListPodSandboxMetrics.descriptor, service.listPodSandboxMetrics)
        stream(CRIRuntimeService.Method.StreamPodSandboxMetrics.descriptor, service.streamPodSandboxMetrics)
        unary(CRIRuntimeService.Method.RuntimeConfig.descriptor, service.runtimeConfig)
        unary(CRIRuntimeService.Method.UpdatePodSandboxResources.descriptor, service.updatePodSandboxResources)
    }

    /// Serves every call of `runtime.v1.ImageService`.
    mutating func register(_ service: any ImageService) {
        unary(CRIImageService.Method.ListImages.descriptor, service.listImages)
        stream(CRIImageService.Method.StreamImages.descriptor, service.streamImages)
        unary(CRIImageService.Method.ImageStatus.descriptor, service.imageStatus)
        unary(CRIImageService.Method.PullImage.descriptor, service.pullImage)
        unary(CRIImageService.Method.RemoveImage.descriptor, service.removeImage)
        unary(CRIImageService.Method.ImageFsInfo.descriptor, service.imageFsInfo)
    }
}
