/// The runtime half of the CRI: sandboxes, containers, streams, stats.
///
/// The engine in process, the gRPC client and the tests' fake all implement it, so whoever drives a node can't tell them
/// apart. Every call throws ``CRIError`` and nothing else.
public protocol RuntimeService: Sendable {
    func version(_ request: CRIVersionRequest) async throws(CRIError) -> CRIVersionResponse
    func runPodSandbox(_ request: CRIRunPodSandboxRequest) async throws(CRIError) -> CRIRunPodSandboxResponse
    func stopPodSandbox(_ request: CRIStopPodSandboxRequest) async throws(CRIError) -> CRIStopPodSandboxResponse
    func removePodSandbox(_ request: CRIRemovePodSandboxRequest) async throws(CRIError) -> CRIRemovePodSandboxResponse
    func podSandboxStatus(_ request: CRIPodSandboxStatusRequest) async throws(CRIError) -> CRIPodSandboxStatusResponse
    func listPodSandbox(_ request: CRIListPodSandboxRequest) async throws(CRIError) -> CRIListPodSandboxResponse
    func streamPodSandboxes(
        _ request: CRIStreamPodSandboxesRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxesResponse, any Error>
    func createContainer(_ request: CRICreateContainerRequest) async throws(CRIError) -> CRICreateContainerResponse
    func startContainer(_ request: CRIStartContainerRequest) async throws(CRIError) -> CRIStartContainerResponse
    func stopContainer(_ request: CRIStopContainerRequest) async throws(CRIError) -> CRIStopContainerResponse
    func removeContainer(_ request: CRIRemoveContainerRequest) async throws(CRIError) -> CRIRemoveContainerResponse
    func listContainers(_ request: CRIListContainersRequest) async throws(CRIError) -> CRIListContainersResponse
    func streamContainers(
        _ request: CRIStreamContainersRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamContainersResponse, any Error>
    func containerStatus(_ request: CRIContainerStatusRequest) async throws(CRIError) -> CRIContainerStatusResponse
    func updateContainerResources(
        _ request: CRIUpdateContainerResourcesRequest
    ) async throws(CRIError) -> CRIUpdateContainerResourcesResponse
    func reopenContainerLog(
        _ request: CRIReopenContainerLogRequest
    ) async throws(CRIError) -> CRIReopenContainerLogResponse
    func execSync(_ request: CRIExecSyncRequest) async throws(CRIError) -> CRIExecSyncResponse
    func exec(_ request: CRIExecRequest) async throws(CRIError) -> CRIExecResponse
    func attach(_ request: CRIAttachRequest) async throws(CRIError) -> CRIAttachResponse
    func portForward(_ request: CRIPortForwardRequest) async throws(CRIError) -> CRIPortForwardResponse
    func containerStats(_ request: CRIContainerStatsRequest) async throws(CRIError) -> CRIContainerStatsResponse
    func listContainerStats(
        _ request: CRIListContainerStatsRequest
    ) async throws(CRIError) -> CRIListContainerStatsResponse
    func streamContainerStats(
        _ request: CRIStreamContainerStatsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamContainerStatsResponse, any Error>
    func podSandboxStats(_ request: CRIPodSandboxStatsRequest) async throws(CRIError) -> CRIPodSandboxStatsResponse
    func listPodSandboxStats(
        _ request: CRIListPodSandboxStatsRequest
    ) async throws(CRIError) -> CRIListPodSandboxStatsResponse
    func streamPodSandboxStats(
        _ request: CRIStreamPodSandboxStatsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxStatsResponse, any Error>
    func updateRuntimeConfig(
        _ request: CRIUpdateRuntimeConfigRequest
    ) async throws(CRIError) -> CRIUpdateRuntimeConfigResponse
    func status(_ request: CRIStatusRequest) async throws(CRIError) -> CRIStatusResponse
    func checkpointContainer(
        _ request: CRICheckpointContainerRequest
    ) async throws(CRIError) -> CRICheckpointContainerResponse
    func getContainerEvents(
        _ request: CRIGetEventsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIContainerEventResponse, any Error>
    func listMetricDescriptors(
        _ request: CRIListMetricDescriptorsRequest
    ) async throws(CRIError) -> CRIListMetricDescriptorsResponse
    func listPodSandboxMetrics(
        _ request: CRIListPodSandboxMetricsRequest
    ) async throws(CRIError) -> CRIListPodSandboxMetricsResponse
    func streamPodSandboxMetrics(
        _ request: CRIStreamPodSandboxMetricsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxMetricsResponse, any Error>
    func runtimeConfig(_ request: CRIRuntimeConfigRequest) async throws(CRIError) -> CRIRuntimeConfigResponse
    func updatePodSandboxResources(
        _ request: CRIUpdatePodSandboxResourcesRequest
    ) async throws(CRIError) -> CRIUpdatePodSandboxResourcesResponse
}
