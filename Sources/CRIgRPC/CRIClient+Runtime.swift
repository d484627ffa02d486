import CRI

/// Each call is one RPC, within a time limit: stops, executions and checkpoints add the time that they were given
/// themselves, a new sandbox gets twice the limit (its network is made in it), and streams have none.
extension CRIClient: RuntimeService {
    public func version(_ request: CRIVersionRequest) async throws(CRIError) -> CRIVersionResponse {
        try await unary(CRIRuntimeService.Method.Version.descriptor, request, within: timeout)
    }

    public func runPodSandbox(_ request: CRIRunPodSandboxRequest) async throws(CRIError) -> CRIRunPodSandboxResponse {
        try await unary(CRIRuntimeService.Method.RunPodSandbox.descriptor, request, within: timeout * 2)
    }

    public func stopPodSandbox(_ request: CRIStopPodSandboxRequest) async throws(CRIError) -> CRIStopPodSandboxResponse
    {
        try await unary(CRIRuntimeService.Method.StopPodSandbox.descriptor, request, within: timeout)
    }

    public func removePodSandbox(_ request: CRIRemovePodSandboxRequest) async throws(CRIError)
        -> CRIRemovePodSandboxResponse
    {
        try await unary(CRIRuntimeService.Method.RemovePodSandbox.descriptor, request, within: timeout)
    }

    public func podSandboxStatus(_ request: CRIPodSandboxStatusRequest) async throws(CRIError)
        -> CRIPodSandboxStatusResponse
    {
        try await unary(CRIRuntimeService.Method.PodSandboxStatus.descriptor, request, within: timeout)
    }

    public func listPodSandbox(_ request: CRIListPodSandboxRequest) async throws(CRIError) -> CRIListPodSandboxResponse
    {
        try await unary(CRIRuntimeService.Method.ListPodSandbox.descriptor, request, within: timeout)
    }

    public func streamPodSandboxes(_ request: CRIStreamPodSandboxesRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxesResponse, any Error>
    {
        await stream(CRIRuntimeService.Method.StreamPodSandboxes.descriptor, request)
    }

    public func createContainer(_ request: CRICreateContainerRequest) async throws(CRIError)
        -> CRICreateContainerResponse
    {
        try await unary(CRIRuntimeService.Method.CreateContainer.descriptor, request, within: timeout)
    }

    public func startContainer(_ request: CRIStartContainerRequest) async throws(CRIError) -> CRIStartContainerResponse
    {
        try await unary(CRIRuntimeService.Method.StartContainer.descriptor, request, within: timeout)
    }

    public func stopContainer(_ request: CRIStopContainerRequest) async throws(CRIError) -> CRIStopContainerResponse {
        try await unary(
            CRIRuntimeService.Method.StopContainer.descriptor, request,
            within: timeout + .seconds(max(0, request.timeout)))
    }

    public func removeContainer(_ request: CRIRemoveContainerRequest) async throws(CRIError)
        -> CRIRemoveContainerResponse
    {
        try await unary(CRIRuntimeService.Method.RemoveContainer.descriptor, request, within: timeout)
    }

    public func listContainers(_ request: CRIListContainersRequest) async throws(CRIError) -> CRIListContainersResponse
    {
        try await unary(CRIRuntimeService.Method.ListContainers.descriptor, request, within: timeout)
    }

    public func streamContainers(_ request: CRIStreamContainersRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamContainersResponse, any Error
    > {
        await stream(CRIRuntimeService.Method.StreamContainers.descriptor, request)
    }

    public func containerStatus(_ request: CRIContainerStatusRequest) async throws(CRIError)
        -> CRIContainerStatusResponse
    {
        try await unary(CRIRuntimeService.Method.ContainerStatus.descriptor, request, within: timeout)
    }

    public func updateContainerResources(_ request: CRIUpdateContainerResourcesRequest) async throws(CRIError)
        -> CRIUpdateContainerResourcesResponse
    {
        try await unary(CRIRuntimeService.Method.UpdateContainerResources.descriptor, request, within: timeout)
    }

    public func reopenContainerLog(_ request: CRIReopenContainerLogRequest) async throws(CRIError)
        -> CRIReopenContainerLogResponse
    {
        try await unary(CRIRuntimeService.Method.ReopenContainerLog.descriptor, request, within: timeout)
    }

    public func execSync(_ request: CRIExecSyncRequest) async throws(CRIError) -> CRIExecSyncResponse {
        try await unary(
            CRIRuntimeService.Method.ExecSync.descriptor, request,
            within: request.timeout > 0 ? timeout + .seconds(request.timeout) : nil)
    }

    public func exec(_ request: CRIExecRequest) async throws(CRIError) -> CRIExecResponse {
        try await unary(CRIRuntimeService.Method.Exec.descriptor, request, within: timeout)
    }

    public func attach(_ request: CRIAttachRequest) async throws(CRIError) -> CRIAttachResponse {
        try await unary(CRIRuntimeService.Method.Attach.descriptor, request, within: timeout)
    }

    public func portForward(_ request: CRIPortForwardRequest) async throws(CRIError) -> CRIPortForwardResponse {
        try await unary(CRIRuntimeService.Method.PortForward.descriptor, request, within: timeout)
    }

    public func containerStats(_ request: CRIContainerStatsRequest) async throws(CRIError) -> CRIContainerStatsResponse
    {
        try await unary(CRIRuntimeService.Method.ContainerStats.descriptor, request, within: timeout)
    }

    public func listContainerStats(_ request: CRIListContainerStatsRequest) async throws(CRIError)
        -> CRIListContainerStatsResponse
    {
        try await unary(CRIRuntimeService.Method.ListContainerStats.descriptor, request, within: timeout)
    }

    public func streamContainerStats(_ request: CRIStreamContainerStatsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamContainerStatsResponse, any Error>
    {
        await stream(CRIRuntimeService.Method.StreamContainerStats.descriptor, request)
    }

    public func podSandboxStats(_ request: CRIPodSandboxStatsRequest) async throws(CRIError)
        -> CRIPodSandboxStatsResponse
    {
        try await unary(CRIRuntimeService.Method.PodSandboxStats.descriptor, request, within: timeout)
    }

    public func listPodSandboxStats(_ request: CRIListPodSandboxStatsRequest) async throws(CRIError)
        -> CRIListPodSandboxStatsResponse
    {
        try await unary(CRIRuntimeService.Method.ListPodSandboxStats.descriptor, request, within: timeout)
    }

    public func streamPodSandboxStats(_ request: CRIStreamPodSandboxStatsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxStatsResponse, any Error>
    {
        await stream(CRIRuntimeService.Method.StreamPodSandboxStats.descriptor, request)
    }

    public func updateRuntimeConfig(_ request: CRIUpdateRuntimeConfigRequest) async throws(CRIError)
        -> CRIUpdateRuntimeConfigResponse
    {
        try await unary(CRIRuntimeService.Method.UpdateRuntimeConfig.descriptor, request, within: timeout)
    }

    public func status(_ request: CRIStatusRequest) async throws(CRIError) -> CRIStatusResponse {
        try await unary(CRIRuntimeService.Method.Status.descriptor, request, within: timeout)
    }

    public func checkpointContainer(_ request: CRICheckpointContainerRequest) async throws(CRIError)
        -> CRICheckpointContainerResponse
    {
        try await unary(
            CRIRuntimeService.Method.CheckpointContainer.descriptor, request,
            within: timeout + .seconds(max(0, request.timeout)))
    }

    public func getContainerEvents(_ request: CRIGetEventsRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIContainerEventResponse, any Error
    > {
        await stream(CRIRuntimeService.Method.GetContainerEvents.descriptor, request)
    }

    public func listMetricDescriptors(_ request: CRIListMetricDescriptorsRequest) async throws(CRIError)
        -> CRIListMetricDescriptorsResponse
    {
        try await unary(CRIRuntimeService.Method.ListMetricDescriptors.descriptor, request, within: timeout)
    }

    public func listPodSandboxMetrics(_ request: CRIListPodSandboxMetricsRequest) async throws(CRIError)
        -> CRIListPodSandboxMetricsResponse
    {
        try await unary(CRIRuntimeService.Method.ListPodSandboxMetrics.descriptor, request, within: timeout)
    }

    public func streamPodSandboxMetrics(_ request: CRIStreamPodSandboxMetricsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxMetricsResponse, any Error>
    {
        await stream(CRIRuntimeService.Method.StreamPodSandboxMetrics.descriptor, request)
    }

    public func runtimeConfig(_ request: CRIRuntimeConfigRequest) async throws(CRIError) -> CRIRuntimeConfigResponse {
        try await unary(CRIRuntimeService.Method.RuntimeConfig.descriptor, request, within: timeout)
    }

    public func updatePodSandboxResources(_ request: CRIUpdatePodSandboxResourcesRequest) async throws(CRIError)
        -> CRIUpdatePodSandboxResourcesResponse
    {
        try await unary(CRIRuntimeService.Method.UpdatePodSandboxResources.descriptor, request, within: timeout)
    }
}
