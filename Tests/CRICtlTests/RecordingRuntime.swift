import CRI
import Synchronization

/// A runtime that records what it is asked and answers what the test has put there; every call that has no answer gets
/// an empty one.
final class RecordingRuntime: Sendable {
    struct State: Sendable {
        /// The names of the calls, in order.
        var calls: [String] = []
        /// The last request of each call.
        var requests: [String: any Sendable] = [:]
        var answers: [String: any Sendable] = [:]
        var errors: [String: CRIError] = [:]
        var streams: [String: [any Sendable]] = [:]
        /// Streams that stay open after their answers until the test ends them.
        var gates: [String: AsyncStream<any Sendable>] = [:]
        /// Calls that end only when they are cancelled.
        var hanging: Set<String> = []
        /// Calls that were cancelled, and streams that have ended.
        var ended: [String] = []
    }

    let state = Mutex(State())

    var calls: [String] { state.withLock { $0.calls } }

    func request<Request>(_ name: String, as type: Request.Type) -> Request? {
        state.withLock { $0.requests[name] as? Request }
    }

    func answer(_ name: String, _ value: any Sendable) { state.withLock { $0.answers[name] = value } }

    func fail(_ name: String, _ error: CRIError) { state.withLock { $0.errors[name] = error } }

    fileprivate func reply<Request: Sendable, Answer: Sendable>(
        _ name: String, _ request: Request, _ empty: Answer
    ) throws(CRIError) -> Answer {
        let (error, answer) = state.withLock { state in
            state.calls.append(name)
            state.requests[name] = request
            return (state.errors[name], state.answers[name])
        }
        if let error { throw error }
        if let make = answer as? @Sendable (Request) -> Answer { return make(request) }
        return answer as? Answer ?? empty
    }

    /// Waits for ever, if the call is to hang.
    private func hang(_ name: String) async throws(CRIError) {
        guard state.withLock({ $0.hanging.contains(name) }) else { return }
        do {
            while true { try await Task.sleep(for: .seconds(3600)) }
        } catch {
            state.withLock { $0.ended.append(name) }
            throw CRIError(.cancelled, "the caller went away")
        }
    }

    fileprivate func stream<Request: Sendable, Answer: Sendable>(
        _ name: String, _ request: Request, _ empty: Answer
    ) throws(CRIError) -> AsyncThrowingStream<Answer, any Error> {
        _ = try reply(name, request, 0)
        let (answers, gate) = state.withLock { ($0.streams[name] ?? [empty], $0.gates[name]) }
        return AsyncThrowingStream { continuation in
            for answer in answers { if let answer = answer as? Answer { continuation.yield(answer) } }
            guard let gate else { return continuation.finish() }
            let task = Task {
                for await answer in gate { if let answer = answer as? Answer { continuation.yield(answer) } }
                continuation.finish()
            }
            continuation.onTermination = { [self] _ in
                task.cancel()
                state.withLock { $0.ended.append(name) }
            }
        }
    }
}

extension RecordingRuntime: RuntimeService {
    func version(_ request: CRIVersionRequest) async throws(CRIError) -> CRIVersionResponse {
        try reply("version", request, CRIVersionResponse())
    }

    func runPodSandbox(_ request: CRIRunPodSandboxRequest) async throws(CRIError) -> CRIRunPodSandboxResponse {
        let answer = try reply("runPodSandbox", request, CRIRunPodSandboxResponse())
        try await hang("runPodSandbox")
        return answer
    }

    func stopPodSandbox(_ request: CRIStopPodSandboxRequest) async throws(CRIError) -> CRIStopPodSandboxResponse {
        try reply("stopPodSandbox", request, CRIStopPodSandboxResponse())
    }

    func removePodSandbox(_ request: CRIRemovePodSandboxRequest) async throws(CRIError) -> CRIRemovePodSandboxResponse {
        try reply("removePodSandbox", request, CRIRemovePodSandboxResponse())
    }

    func podSandboxStatus(_ request: CRIPodSandboxStatusRequest) async throws(CRIError) -> CRIPodSandboxStatusResponse {
        try reply("podSandboxStatus", request, CRIPodSandboxStatusResponse())
    }

    func listPodSandbox(_ request: CRIListPodSandboxRequest) async throws(CRIError) -> CRIListPodSandboxResponse {
        try reply("listPodSandbox", request, CRIListPodSandboxResponse())
    }

    func streamPodSandboxes(_ request: CRIStreamPodSandboxesRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamPodSandboxesResponse, any Error
    > {
        try stream("streamPodSandboxes", request, CRIStreamPodSandboxesResponse())
    }

    func createContainer(_ request: CRICreateContainerRequest) async throws(CRIError) -> CRICreateContainerResponse {
        try reply("createContainer", request, CRICreateContainerResponse())
    }

    func startContainer(_ request: CRIStartContainerRequest) async throws(CRIError) -> CRIStartContainerResponse {
        try reply("startContainer", request, CRIStartContainerResponse())
    }

    func stopContainer(_ request: CRIStopContainerRequest) async throws(CRIError) -> CRIStopContainerResponse {
        try reply("stopContainer", request, CRIStopContainerResponse())
    }

    func removeContainer(_ request: CRIRemoveContainerRequest) async throws(CRIError) -> CRIRemoveContainerResponse {
        try reply("removeContainer", request, CRIRemoveContainerResponse())
    }

    func listContainers(_ request: CRIListContainersRequest) async throws(CRIError) -> CRIListContainersResponse {
        try reply("listContainers", request, CRIListContainersResponse())
    }

    func streamContainers(_ request: CRIStreamContainersRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamContainersResponse, any Error
    > {
        try stream("streamContainers", request, CRIStreamContainersResponse())
    }

    func containerStatus(_ request: CRIContainerStatusRequest) async throws(CRIError) -> CRIContainerStatusResponse {
        try reply("containerStatus", request, CRIContainerStatusResponse())
    }

    func updateContainerResources(_ request: CRIUpdateContainerResourcesRequest) async throws(CRIError)
        -> CRIUpdateContainerResourcesResponse
    {
        try reply("updateContainerResources", request, CRIUpdateContainerResourcesResponse())
    }

    func reopenContainerLog(_ request: CRIReopenContainerLogRequest) async throws(CRIError)
        -> CRIReopenContainerLogResponse
    {
        try reply("reopenContainerLog", request, CRIReopenContainerLogResponse())
    }

    func execSync(_ request: CRIExecSyncRequest) async throws(CRIError) -> CRIExecSyncResponse {
        try reply("execSync", request, CRIExecSyncResponse())
    }

    func exec(_ request: CRIExecRequest) async throws(CRIError) -> CRIExecResponse {
        try reply("exec", request, CRIExecResponse())
    }

    func attach(_ request: CRIAttachRequest) async throws(CRIError) -> CRIAttachResponse {
        try reply("attach", request, CRIAttachResponse())
    }

    func portForward(_ request: CRIPortForwardRequest) async throws(CRIError) -> CRIPortForwardResponse {
        try reply("portForward", request, CRIPortForwardResponse())
    }

    func containerStats(_ request: CRIContainerStatsRequest) async throws(CRIError) -> CRIContainerStatsResponse {
        try reply("containerStats", request, CRIContainerStatsResponse())
    }

    func listContainerStats(_ request: CRIListContainerStatsRequest) async throws(CRIError)
        -> CRIListContainerStatsResponse
    {
        try reply("listContainerStats", request, CRIListContainerStatsResponse())
    }

    func streamContainerStats(_ request: CRIStreamContainerStatsRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamContainerStatsResponse, any Error
    > {
        try stream("streamContainerStats", request, CRIStreamContainerStatsResponse())
    }

    func podSandboxStats(_ request: CRIPodSandboxStatsRequest) async throws(CRIError) -> CRIPodSandboxStatsResponse {
        try reply("podSandboxStats", request, CRIPodSandboxStatsResponse())
    }

    func listPodSandboxStats(_ request: CRIListPodSandboxStatsRequest) async throws(CRIError)
        -> CRIListPodSandboxStatsResponse
    {
        try reply("listPodSandboxStats", request, CRIListPodSandboxStatsResponse())
    }

    func streamPodSandboxStats(_ request: CRIStreamPodSandboxStatsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxStatsResponse, any Error>
    {
        try stream("streamPodSandboxStats", request, CRIStreamPodSandboxStatsResponse())
    }

    func updateRuntimeConfig(_ request: CRIUpdateRuntimeConfigRequest) async throws(CRIError)
        -> CRIUpdateRuntimeConfigResponse
    {
        try reply("updateRuntimeConfig", request, CRIUpdateRuntimeConfigResponse())
    }

    func status(_ request: CRIStatusRequest) async throws(CRIError) -> CRIStatusResponse {
        try reply("status", request, CRIStatusResponse())
    }

    func checkpointContainer(_ request: CRICheckpointContainerRequest) async throws(CRIError)
        -> CRICheckpointContainerResponse
    {
        try reply("checkpointContainer", request, CRICheckpointContainerResponse())
    }

    func getContainerEvents(_ request: CRIGetEventsRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIContainerEventResponse, any Error
    > {
        try stream("getContainerEvents", request, CRIContainerEventResponse())
    }

    func listMetricDescriptors(_ request: CRIListMetricDescriptorsRequest) async throws(CRIError)
        -> CRIListMetricDescriptorsResponse
    {
        try reply("listMetricDescriptors", request, CRIListMetricDescriptorsResponse())
    }

    func listPodSandboxMetrics(_ request: CRIListPodSandboxMetricsRequest) async throws(CRIError)
        -> CRIListPodSandboxMetricsResponse
    {
        try reply("listPodSandboxMetrics", request, CRIListPodSandboxMetricsResponse())
    }

    func streamPodSandboxMetrics(_ request: CRIStreamPodSandboxMetricsRequest) async throws(CRIError)
        -> AsyncThrowingStream<CRIStreamPodSandboxMetricsResponse, any Error>
    {
        try stream("streamPodSandboxMetrics", request, CRIStreamPodSandboxMetricsResponse())
    }

    func runtimeConfig(_ request: CRIRuntimeConfigRequest) async throws(CRIError) -> CRIRuntimeConfigResponse {
        try reply("runtimeConfig", request, CRIRuntimeConfigResponse())
    }

    func updatePodSandboxResources(_ request: CRIUpdatePodSandboxResourcesRequest) async throws(CRIError)
        -> CRIUpdatePodSandboxResourcesResponse
    {
        try reply("updatePodSandboxResources", request, CRIUpdatePodSandboxResourcesResponse())
    }
}

extension RecordingRuntime: ImageService {
    func listImages(_ request: CRIListImagesRequest) async throws(CRIError) -> CRIListImagesResponse {
        try reply("listImages", request, CRIListImagesResponse())
    }

    func streamImages(_ request: CRIStreamImagesRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamImagesResponse, any Error
    > {
        try stream("streamImages", request, CRIStreamImagesResponse())
    }

    func imageStatus(_ request: CRIImageStatusRequest) async throws(CRIError) -> CRIImageStatusResponse {
        try reply("imageStatus", request, CRIImageStatusResponse())
    }

    func pullImage(_ request: CRIPullImageRequest) async throws(CRIError) -> CRIPullImageResponse {
        try reply("pullImage", request, CRIPullImageResponse())
    }

    func removeImage(_ request: CRIRemoveImageRequest) async throws(CRIError) -> CRIRemoveImageResponse {
        try reply("removeImage", request, CRIRemoveImageResponse())
    }

    func imageFsInfo(_ request: CRIImageFsInfoRequest) async throws(CRIError) -> CRIImageFsInfoResponse {
        try reply("imageFsInfo", request, CRIImageFsInfoResponse())
    }
}
