import CRI

extension Engine: RuntimeService {
    public func version(_ request: CRIVersionRequest) async throws(CRIError) -> CRIVersionResponse {
        throw CRIError(.unimplemented, "Version: not built yet")
    }

    public func runPodSandbox(_ request: CRIRunPodSandboxRequest) async throws(CRIError) -> CRIRunPodSandboxResponse {
        throw CRIError(.unimplemented, "RunPodSandbox: not built yet")
    }

    public func stopPodSandbox(_ request: CRIStopPodSandboxRequest) async throws(CRIError) -> CRIStopPodSandboxResponse
    {
        throw CRIError(.unimplemented, "StopPodSandbox: not built yet")
    }

    public func removePodSandbox(_ request: CRIRemovePodSandboxRequest) async throws(CRIError)
        -> CRIRemovePodSandboxResponse
    {
        throw CRIError(.unimplemented, "RemovePodSandbox: not built yet")
    }

    public func podSandboxStatus(_ request: CRIPodSandboxStatusRequest) async throws(CRIError)
        -> CRIPodSandboxStatusResponse
    {
        throw CRIError(.unimplemented, "PodSandboxStatus: not built yet")
    }

    public func listPodSandbox(_ request: CRIListPodSandboxRequest) async throws(CRIError) -> CRIListPodSandboxResponse
    {
        throw CRIError(.unimplemented, "ListPodSandbox: not built yet")
    }

    public func streamPodSandboxes(_ request: CRIStreamPodSandboxesRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxesResponse, any Error>
    {
        throw CRIError(.unimplemented, "StreamPodSandboxes: not built yet")
    }

    public func createContainer(_ request: CRICreateContainerRequest) async throws(CRIError)
        -> CRICreateContainerResponse
    {
        throw CRIError(.unimplemented, "CreateContainer: not built yet")
    }

    public func startContainer(_ request: CRIStartContainerRequest) async throws(CRIError) -> CRIStartContainerResponse
    {
        throw CRIError(.unimplemented, "StartContainer: not built yet")
    }

    public func stopContainer(_ request: CRIStopContainerRequest) async throws(CRIError) -> CRIStopContainerResponse {
        throw CRIError(.unimplemented, "StopContainer: not built yet")
    }

    public func removeContainer(_ request: CRIRemoveContainerRequest) async throws(CRIError)
        -> CRIRemoveContainerResponse
    {
        throw CRIError(.unimplemented, "RemoveContainer: not built yet")
    }

    public func listContainers(_ request: CRIListContainersRequest) async throws(CRIError) -> CRIListContainersResponse
    {
        throw CRIError(.unimplemented, "ListContainers: not built yet")
    }

    public func streamContainers(_ request: CRIStreamContainersRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamContainersResponse, any Error
    > {
        throw CRIError(.unimplemented, "StreamContainers: not built yet")
    }

    public func containerStatus(_ request: CRIContainerStatusRequest) async throws(CRIError)
        -> CRIContainerStatusResponse
    {
        throw CRIError(.unimplemented, "ContainerStatus: not built yet")
    }

    public func updateContainerResources(_ request: CRIUpdateContainerResourcesRequest) async throws(CRIError)
        -> CRIUpdateContainerResourcesResponse
    {
        throw CRIError(.unimplemented, "UpdateContainerResources: not built yet")
    }

    public func reopenContainerLog(_ request: CRIReopenContainerLogRequest) async throws(CRIError)
        -> CRIReopenContainerLogResponse
    {
        throw CRIError(.unimplemented, "ReopenContainerLog: not built yet")
    }

    public func execSync(_ request: CRIExecSyncRequest) async throws(CRIError) -> CRIExecSyncResponse {
        throw CRIError(.unimplemented, "ExecSync: not built yet")
    }

    public func exec(_ request: CRIExecRequest) async throws(CRIError) -> CRIExecResponse {
        throw CRIError(.unimplemented, "Exec: not built yet")
    }

    public func attach(_ request: CRIAttachRequest) async throws(CRIError) -> CRIAttachResponse {
        throw CRIError(.unimplemented, "Attach: not built yet")
    }

    public func portForward(_ request: CRIPortForwardRequest) async throws(CRIError) -> CRIPortForwardResponse {
        throw CRIError(.unimplemented, "PortForward: not built yet")
    }

    public func containerStats(_ request: CRIContainerStatsRequest) async throws(CRIError) -> CRIContainerStatsResponse
    {
        throw CRIError(.unimplemented, "ContainerStats: not built yet")
    }

    public func listContainerStats(_ request: CRIListContainerStatsRequest) async throws(CRIError)
        -> CRIListContainerStatsResponse
    {
        throw CRIError(.unimplemented, "ListContainerStats: not built yet")
    }

    public func streamContainerStats(_ request: CRIStreamContainerStatsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamContainerStatsResponse, any Error>
    {
        throw CRIError(.unimplemented, "StreamContainerStats: not built yet")
    }

    public func podSandboxStats(_ request: CRIPodSandboxStatsRequest) async throws(CRIError)
        -> CRIPodSandboxStatsResponse
    {
        throw CRIError(.unimplemented, "PodSandboxStats: not built yet")
    }

    public func listPodSandboxStats(_ request: CRIListPodSandboxStatsRequest) async throws(CRIError)
        -> CRIListPodSandboxStatsResponse
    {
        throw CRIError(.unimplemented, "ListPodSandboxStats: not built yet")
    }

    public func streamPodSandboxStats(_ request: CRIStreamPodSandboxStatsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxStatsResponse, any Error>
    {
        throw CRIError(.unimplemented, "StreamPodSandboxStats: not built yet")
    }

    public func updateRuntimeConfig(_ request: CRIUpdateRuntimeConfigRequest) async throws(CRIError)
        -> CRIUpdateRuntimeConfigResponse
    {
        throw CRIError(.unimplemented, "UpdateRuntimeConfig: not built yet")
    }

    public func status(_ request: CRIStatusRequest) async throws(CRIError) -> CRIStatusResponse {
        throw CRIError(.unimplemented, "Status: not built yet")
    }

    public func checkpointContainer(_ request: CRICheckpointContainerRequest) async throws(CRIError)
        -> CRICheckpointContainerResponse
    {
        throw CRIError(.unimplemented, "CheckpointContainer: not built yet")
    }

    public func getContainerEvents(_ request: CRIGetEventsRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIContainerEventResponse, any Error
    > {
        throw CRIError(.unimplemented, "GetContainerEvents: not built yet")
    }

    public func listMetricDescriptors(_ request: CRIListMetricDescriptorsRequest) async throws(CRIError)
        -> CRIListMetricDescriptorsResponse
    {
        throw CRIError(.unimplemented, "ListMetricDescriptors: not built yet")
    }

    public func listPodSandboxMetrics(_ request: CRIListPodSandboxMetricsRequest) async throws(CRIError)
        -> CRIListPodSandboxMetricsResponse
    {
        throw CRIError(.unimplemented, "ListPodSandboxMetrics: not built yet")
    }

    public func streamPodSandboxMetrics(_ request: CRIStreamPodSandboxMetricsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxMetricsResponse, any Error>
    {
        throw CRIError(.unimplemented, "StreamPodSandboxMetrics: not built yet")
    }

    public func runtimeConfig(_ request: CRIRuntimeConfigRequest) async throws(CRIError) -> CRIRuntimeConfigResponse {
        throw CRIError(.unimplemented, "RuntimeConfig: not built yet")
    }

    public func updatePodSandboxResources(_ request: CRIUpdatePodSandboxResourcesRequest) async throws(CRIError)
        -> CRIUpdatePodSandboxResourcesResponse
    {
        throw CRIError(.unimplemented, "UpdatePodSandboxResources: not built yet")
    }
}

extension Engine: ImageService {
    public func listImages(_ request: CRIListImagesRequest) async throws(CRIError) -> CRIListImagesResponse {
        throw CRIError(.unimplemented, "ListImages: not built yet")
    }

    public func streamImages(_ request: CRIStreamImagesRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamImagesResponse, any Error
    > {
        throw CRIError(.unimplemented, "StreamImages: not built yet")
    }

    public func imageStatus(_ request: CRIImageStatusRequest) async throws(CRIError) -> CRIImageStatusResponse {
        throw CRIError(.unimplemented, "ImageStatus: not built yet")
    }

    public func pullImage(_ request: CRIPullImageRequest) async throws(CRIError) -> CRIPullImageResponse {
        throw CRIError(.unimplemented, "PullImage: not built yet")
    }

    public func removeImage(_ request: CRIRemoveImageRequest) async throws(CRIError) -> CRIRemoveImageResponse {
        throw CRIError(.unimplemented, "RemoveImage: not built yet")
    }

    public func imageFsInfo(_ request: CRIImageFsInfoRequest) async throws(CRIError) -> CRIImageFsInfoResponse {
        throw CRIError(.unimplemented, "ImageFsInfo: not built yet")
    }
}
