import CRI

// What the kubelet never calls.
extension FakeRuntime {
    private func unimplemented() -> CRIError { CRIError(.unimplemented, "the fake has no such call") }

    func streamPodSandboxes(
        _ request: CRIStreamPodSandboxesRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxesResponse, any Error> { throw unimplemented() }
    func streamContainers(
        _ request: CRIStreamContainersRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamContainersResponse, any Error> { throw unimplemented() }
    func updateContainerResources(
        _ request: CRIUpdateContainerResourcesRequest
    ) async throws(CRIError) -> CRIUpdateContainerResourcesResponse { throw unimplemented() }
    func reopenContainerLog(
        _ request: CRIReopenContainerLogRequest
    ) async throws(CRIError) -> CRIReopenContainerLogResponse { throw unimplemented() }
    func exec(
        _ request: CRIExecRequest
    ) async throws(CRIError) -> CRIExecResponse { throw unimplemented() }
    func attach(
        _ request: CRIAttachRequest
    ) async throws(CRIError) -> CRIAttachResponse { throw unimplemented() }
    func portForward(
        _ request: CRIPortForwardRequest
    ) async throws(CRIError) -> CRIPortForwardResponse { throw unimplemented() }
    func containerStats(
        _ request: CRIContainerStatsRequest
    ) async throws(CRIError) -> CRIContainerStatsResponse { throw unimplemented() }
    func listContainerStats(
        _ request: CRIListContainerStatsRequest
    ) async throws(CRIError) -> CRIListContainerStatsResponse { throw unimplemented() }
    func streamContainerStats(
        _ request: CRIStreamContainerStatsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamContainerStatsResponse, any Error> {
        throw unimplemented()
    }
    func podSandboxStats(
        _ request: CRIPodSandboxStatsRequest
    ) async throws(CRIError) -> CRIPodSandboxStatsResponse { throw unimplemented() }
    func listPodSandboxStats(
        _ request: CRIListPodSandboxStatsRequest
    ) async throws(CRIError) -> CRIListPodSandboxStatsResponse { throw unimplemented() }
    func streamPodSandboxStats(
        _ request: CRIStreamPodSandboxStatsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxStatsResponse, any Error> {
        throw unimplemented()
    }
    func updateRuntimeConfig(
        _ request: CRIUpdateRuntimeConfigRequest
    ) async throws(CRIError) -> CRIUpdateRuntimeConfigResponse { throw unimplemented() }
    func status(
        _ request: CRIStatusRequest
    ) async throws(CRIError) -> CRIStatusResponse { throw unimplemented() }
    func checkpointContainer(
        _ request: CRICheckpointContainerRequest
    ) async throws(CRIError) -> CRICheckpointContainerResponse { throw unimplemented() }
    func listMetricDescriptors(
        _ request: CRIListMetricDescriptorsRequest
    ) async throws(CRIError) -> CRIListMetricDescriptorsResponse { throw unimplemented() }
    func listPodSandboxMetrics(
        _ request: CRIListPodSandboxMetricsRequest
    ) async throws(CRIError) -> CRIListPodSandboxMetricsResponse { throw unimplemented() }
    func streamPodSandboxMetrics(
        _ request: CRIStreamPodSandboxMetricsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxMetricsResponse, any Error> {
        throw unimplemented()
    }
    func updatePodSandboxResources(
        _ request: CRIUpdatePodSandboxResourcesRequest
    ) async throws(CRIError) -> CRIUpdatePodSandboxResourcesResponse { throw unimplemented() }
    func streamImages(
        _ request: CRIStreamImagesRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamImagesResponse, any Error> { throw unimplemented() }
    func imageFsInfo(
        _ request: CRIImageFsInfoRequest
    ) async throws(CRIError) -> CRIImageFsInfoResponse { throw unimplemented() }
}
