import CRI
import CRIgRPC
import Logging
import Testing

/// One call through the client, for each of the service's.
struct EveryCall: Sendable, CustomTestStringConvertible {
    let name: String
    let call: @Sendable (CRIClient) async throws -> Void

    var testDescription: String { name }

    static let all: [EveryCall] = [
        EveryCall(name: "version") { _ = try await $0.version(CRIVersionRequest()) },
        EveryCall(name: "runPodSandbox") { _ = try await $0.runPodSandbox(CRIRunPodSandboxRequest()) },
        EveryCall(name: "stopPodSandbox") { _ = try await $0.stopPodSandbox(CRIStopPodSandboxRequest()) },
        EveryCall(name: "removePodSandbox") { _ = try await $0.removePodSandbox(CRIRemovePodSandboxRequest()) },
        EveryCall(name: "podSandboxStatus") { _ = try await $0.podSandboxStatus(CRIPodSandboxStatusRequest()) },
        EveryCall(name: "listPodSandbox") { _ = try await $0.listPodSandbox(CRIListPodSandboxRequest()) },
        EveryCall(name: "streamPodSandboxes") {
            for try await _ in try await $0.streamPodSandboxes(CRIStreamPodSandboxesRequest()) {}
        },
        EveryCall(name: "createContainer") { _ = try await $0.createContainer(CRICreateContainerRequest()) },
        EveryCall(name: "startContainer") { _ = try await $0.startContainer(CRIStartContainerRequest()) },
        EveryCall(name: "stopContainer") { _ = try await $0.stopContainer(CRIStopContainerRequest()) },
        EveryCall(name: "removeContainer") { _ = try await $0.removeContainer(CRIRemoveContainerRequest()) },
        EveryCall(name: "listContainers") { _ = try await $0.listContainers(CRIListContainersRequest()) },
        EveryCall(name: "streamContainers") {
            for try await _ in try await $0.streamContainers(CRIStreamContainersRequest()) {}
        },
        EveryCall(name: "containerStatus") { _ = try await $0.containerStatus(CRIContainerStatusRequest()) },
        EveryCall(name: "updateContainerResources") {
            _ = try await $0.updateContainerResources(CRIUpdateContainerResourcesRequest())
        },
        EveryCall(name: "reopenContainerLog") { _ = try await $0.reopenContainerLog(CRIReopenContainerLogRequest()) },
        EveryCall(name: "execSync") { _ = try await $0.execSync(CRIExecSyncRequest()) },
        EveryCall(name: "exec") { _ = try await $0.exec(CRIExecRequest()) },
        EveryCall(name: "attach") { _ = try await $0.attach(CRIAttachRequest()) },
        EveryCall(name: "portForward") { _ = try await $0.portForward(CRIPortForwardRequest()) },
        EveryCall(name: "containerStats") { _ = try await $0.containerStats(CRIContainerStatsRequest()) },
        EveryCall(name: "listContainerStats") { _ = try await $0.listContainerStats(CRIListContainerStatsRequest()) },
        EveryCall(name: "streamContainerStats") {
            for try await _ in try await $0.streamContainerStats(CRIStreamContainerStatsRequest()) {}
        },
        EveryCall(name: "podSandboxStats") { _ = try await $0.podSandboxStats(CRIPodSandboxStatsRequest()) },
        EveryCall(name: "listPodSandboxStats") {
            _ = try await $0.listPodSandboxStats(CRIListPodSandboxStatsRequest())
        },
        EveryCall(name: "streamPodSandboxStats") {
            for try await _ in try await $0.streamPodSandboxStats(CRIStreamPodSandboxStatsRequest()) {}
        },
        EveryCall(name: "updateRuntimeConfig") {
            _ = try await $0.updateRuntimeConfig(CRIUpdateRuntimeConfigRequest())
        },
        EveryCall(name: "status") { _ = try await $0.status(CRIStatusRequest()) },
        EveryCall(name: "checkpointContainer") {
            _ = try await $0.checkpointContainer(CRICheckpointContainerRequest())
        },
        EveryCall(name: "getContainerEvents") {
            for try await _ in try await $0.getContainerEvents(CRIGetEventsRequest()) {}
        },
        EveryCall(name: "listMetricDescriptors") {
            _ = try await $0.listMetricDescriptors(CRIListMetricDescriptorsRequest())
        },
        EveryCall(name: "listPodSandboxMetrics") {
            _ = try await $0.listPodSandboxMetrics(CRIListPodSandboxMetricsRequest())
        },
        EveryCall(name: "streamPodSandboxMetrics") {
            for try await _ in try await $0.streamPodSandboxMetrics(CRIStreamPodSandboxMetricsRequest()) {}
        },
        EveryCall(name: "runtimeConfig") { _ = try await $0.runtimeConfig(CRIRuntimeConfigRequest()) },
        EveryCall(name: "updatePodSandboxResources") {
            _ = try await $0.updatePodSandboxResources(CRIUpdatePodSandboxResourcesRequest())
        },
        EveryCall(name: "listImages") { _ = try await $0.listImages(CRIListImagesRequest()) },
        EveryCall(name: "streamImages") { for try await _ in try await $0.streamImages(CRIStreamImagesRequest()) {} },
        EveryCall(name: "imageStatus") { _ = try await $0.imageStatus(CRIImageStatusRequest()) },
        EveryCall(name: "pullImage") { _ = try await $0.pullImage(CRIPullImageRequest()) },
        EveryCall(name: "removeImage") { _ = try await $0.removeImage(CRIRemoveImageRequest()) },
        EveryCall(name: "imageFsInfo") { _ = try await $0.imageFsInfo(CRIImageFsInfoRequest()) },
    ]
}
