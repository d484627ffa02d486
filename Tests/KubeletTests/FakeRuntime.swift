import CRI
import Kubelet
import SwiftProtobuf

/// A CRI runtime in memory: sandboxes and containers that live and die as a test says, with the events and statuses of
/// a real one.
actor FakeRuntime: RuntimeService, ImageService {
    struct Sandbox {
        var config: CRIPodSandboxConfig
        var state = CRIPodSandboxState.sandboxReady
        var createdAt: Int64
        var ip: String
    }

    struct Container {
        var config: CRIContainerConfig
        var sandbox: String
        var state = CRIContainerState.containerCreated
        var createdAt: Int64
        var startedAt: Int64 = 0
        var finishedAt: Int64 = 0
        var exitCode: Int32 = 0
        var reason = ""
        var message = ""
    }

    let clock: any NodeClock
    var sandboxes: [String: Sandbox] = [:]
    var containers: [String: Container] = [:]
    /// What has been called, in order: `create app#0`, `stop app grace=30`, ….
    private(set) var calls: [String] = []
    /// References that are there, with the user of each image.
    var images: [String: (uid: Int64?, name: String)] = ["localhost/busybox:1": (nil, "")]
    var failures: [String: [CRIError]] = [:]
    /// Exit codes that containers end with as soon as they are started, by name.
    var instantExits: [String: Int32] = [:]
    /// Containers that ignore the stop signal until somebody lets them go.
    var stubborn: Set<String> = []
    /// Answers to execSync, by the command's first word.
    var execs: [String: Int32] = [:]
    var hasEvents = true
    var nextPullError = CRIError(.notFound, "not in the store; no registry is configured")
    private var listeners: [Int: AsyncThrowingStream<CRIContainerEventResponse, any Error>.Continuation] = [:]
    private var number = 0
    private var stopWaiters: [String: [CheckedContinuation<Void, Never>]] = [:]

    init(clock: any NodeClock) { self.clock = clock }

    // MARK: the test's side

    /// The newest container of that name.
    func newest(_ name: String) -> (id: String, container: Container)? {
        containers.filter { $0.value.config.metadata.name == name }
            .max { ($0.value.createdAt, $0.key) < ($1.value.createdAt, $1.key) }.map { ($0.key, $0.value) }
    }

    func running(_ name: String) -> String? {
        containers.first { $0.value.config.metadata.name == name && $0.value.state == .containerRunning }?.key
    }

    func runningCount() -> Int { containers.values.count { $0.state == .containerRunning } }

    /// A container ends by itself.
    func exit(_ name: String, code: Int32, reason: String = "") {
        guard let id = running(name) else { return }
        end(id, code: code, reason: reason)
    }

    func end(_ id: String, code: Int32, reason: String = "") {
        containers[id]?.state = .containerExited
        containers[id]?.exitCode = code
        containers[id]?.finishedAt = clock.now.nanoseconds
        containers[id]?.reason = reason.isEmpty ? (code == 0 ? "Completed" : "Error") : reason
        emit(id, .containerStoppedEvent)
        stopWaiters.removeValue(forKey: id)?.forEach { $0.resume() }
    }

    /// The sandbox's own process is gone, its containers with it.
    func killSandboxes() {
        for id in sandboxes.keys { sandboxes[id]?.state = .sandboxNotready }
        for (id, container) in containers where container.state == .containerRunning { end(id, code: 137) }
    }

    func addImage(_ reference: String, uid: Int64? = nil, name: String = "") { images[reference] = (uid, name) }
    func removeAllImages() { images = [:] }
    func fail(_ call: String, _ errors: CRIError...) { failures[call, default: []] += errors }
    func set(instantExit code: Int32?, of name: String) { instantExits[name] = code }
    func set(exec command: String, code: Int32) { execs[command] = code }
    func set(stubborn names: Set<String>) { stubborn = names }
    func set(hasEvents: Bool) { self.hasEvents = hasEvents }
    func letGo(_ name: String) {
        stubborn.remove(name)
        if let id = running(name) { end(id, code: 143) }
    }
    func forgetCalls() { calls = [] }
    func breakEvents() {
        listeners.values.forEach { $0.finish(throwing: CRIError(.unavailable, "connection reset")) }
        listeners = [:]
    }
    /// A sandbox that somebody made: with our labels or without.
    func plant(_ config: CRIPodSandboxConfig, containers names: [String]) {
        let sandbox = newID("planted")
        sandboxes[sandbox] = Sandbox(config: config, createdAt: clock.now.nanoseconds, ip: "10.1.1.1")
        for name in names {
            var container = CRIContainerConfig()
            container.metadata.name = name
            container.labels = config.labels
            container.labels["io.kubernetes.container.name"] = name
            containers[newID(name)] = Container(
                config: container, sandbox: sandbox, state: .containerRunning, createdAt: clock.now.nanoseconds,
                startedAt: clock.now.nanoseconds)
        }
    }

    // MARK: inside

    private func newID(_ name: String) -> String {
        number += 1
        return "\(name)-\(number)"
    }

    private func called(_ call: String, _ subject: String = "") throws(CRIError) {
        calls.append(subject.isEmpty ? call : "\(call) \(subject)")
        if var waiting = failures[call], !waiting.isEmpty {
            let error = waiting.removeFirst()
            failures[call] = waiting
            throw error
        }
    }

    private func emit(_ container: String, _ type: CRIContainerEventType) {
        guard let found = containers[container] else { return }
        var event = CRIContainerEventResponse()
        event.containerID = container
        event.containerEventType = type
        event.createdAt = clock.now.nanoseconds
        if let sandbox = sandboxes[found.sandbox] {
            event.podSandboxStatus = status(found.sandbox, sandbox)
        }
        for listener in listeners.values { listener.yield(event) }
    }

    private func status(_ id: String, _ sandbox: Sandbox) -> CRIPodSandboxStatus {
        CRIPodSandboxStatus.with {
            $0.id = id
            $0.metadata = sandbox.config.metadata
            $0.state = sandbox.state
            $0.createdAt = sandbox.createdAt
            $0.network.ip = sandbox.state == .sandboxReady ? sandbox.ip : ""
            $0.linux.namespaces.options = sandbox.config.linux.securityContext.namespaceOptions
            $0.labels = sandbox.config.labels
            $0.annotations = sandbox.config.annotations
        }
    }

    private func matches(_ selector: [String: String], _ labels: [String: String]) -> Bool {
        selector.allSatisfy { labels[$0.key] == $0.value }
    }
}

// MARK: sandboxes

extension FakeRuntime {
    func version(_ request: CRIVersionRequest) async throws(CRIError) -> CRIVersionResponse {
        CRIVersionResponse.with { $0.runtimeName = "fake" }
    }

    func runPodSandbox(_ request: CRIRunPodSandboxRequest) async throws(CRIError) -> CRIRunPodSandboxResponse {
        try called("sandbox", "#\(request.config.metadata.attempt)")
        let id = newID("sandbox")
        let isHost = request.config.linux.securityContext.namespaceOptions.network == .node
        sandboxes[id] = Sandbox(
            config: request.config, createdAt: clock.now.nanoseconds + Int64(number),
            ip: isHost ? "" : "10.0.0.\(number % 250)")
        return CRIRunPodSandboxResponse.with { $0.podSandboxID = id }
    }

    func stopPodSandbox(_ request: CRIStopPodSandboxRequest) async throws(CRIError) -> CRIStopPodSandboxResponse {
        try called("stopSandbox")
        guard sandboxes[request.podSandboxID] != nil else { return CRIStopPodSandboxResponse() }
        sandboxes[request.podSandboxID]?.state = .sandboxNotready
        for (id, container) in containers
        where container.sandbox == request.podSandboxID && container.state == .containerRunning {
            end(id, code: 137)
        }
        return CRIStopPodSandboxResponse()
    }

    func removePodSandbox(_ request: CRIRemovePodSandboxRequest) async throws(CRIError) -> CRIRemovePodSandboxResponse {
        try called("removeSandbox")
        sandboxes[request.podSandboxID] = nil
        containers = containers.filter { $0.value.sandbox != request.podSandboxID }
        return CRIRemovePodSandboxResponse()
    }

    func podSandboxStatus(
        _ request: CRIPodSandboxStatusRequest
    ) async throws(CRIError) -> CRIPodSandboxStatusResponse {
        guard let sandbox = sandboxes[request.podSandboxID] else { throw CRIError(.notFound, "no such sandbox") }
        let status = status(request.podSandboxID, sandbox)
        return CRIPodSandboxStatusResponse.with { $0.status = status }
    }

    func listPodSandbox(_ request: CRIListPodSandboxRequest) async throws(CRIError) -> CRIListPodSandboxResponse {
        if failures["list"]?.isEmpty == false { try called("list") }
        let found = sandboxes.filter { matches(request.filter.labelSelector, $0.value.config.labels) }
        return CRIListPodSandboxResponse.with { response in
            response.items = found.map { id, sandbox in
                CRIPodSandbox.with {
                    $0.id = id
                    $0.metadata = sandbox.config.metadata
                    $0.state = sandbox.state
                    $0.createdAt = sandbox.createdAt
                    $0.labels = sandbox.config.labels
                    $0.annotations = sandbox.config.annotations
                }
            }
        }
    }

    func getContainerEvents(
        _ request: CRIGetEventsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIContainerEventResponse, any Error> {
        guard hasEvents else { throw CRIError(.unimplemented, "unknown method GetContainerEvents") }
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: CRIContainerEventResponse.self)
        number += 1
        listeners[number] = continuation
        return stream
    }

    func runtimeConfig(_ request: CRIRuntimeConfigRequest) async throws(CRIError) -> CRIRuntimeConfigResponse {
        CRIRuntimeConfigResponse.with { $0.linux.cgroupDriver = .cgroupfs }
    }
}

// MARK: containers

extension FakeRuntime {
    func createContainer(_ request: CRICreateContainerRequest) async throws(CRIError) -> CRICreateContainerResponse {
        let name = request.config.metadata.name
        try called("create", "\(name)#\(request.config.metadata.attempt)")
        guard sandboxes[request.podSandboxID]?.state == .sandboxReady else {
            throw CRIError(.failedPrecondition, "sandbox is not ready")
        }
        let id = newID(name)
        containers[id] = Container(
            config: request.config, sandbox: request.podSandboxID, createdAt: clock.now.nanoseconds + Int64(number))
        emit(id, .containerCreatedEvent)
        return CRICreateContainerResponse.with { $0.containerID = id }
    }

    func startContainer(_ request: CRIStartContainerRequest) async throws(CRIError) -> CRIStartContainerResponse {
        let id = request.containerID
        guard let container = containers[id] else { throw CRIError(.notFound, "no such container") }
        let name = container.config.metadata.name
        try called("start", name)
        containers[id]?.state = .containerRunning
        containers[id]?.startedAt = clock.now.nanoseconds
        emit(id, .containerStartedEvent)
        if let code = instantExits[name] { end(id, code: code) }
        return CRIStartContainerResponse()
    }

    func stopContainer(_ request: CRIStopContainerRequest) async throws(CRIError) -> CRIStopContainerResponse {
        let id = request.containerID
        guard let container = containers[id] else { return CRIStopContainerResponse() }
        let name = container.config.metadata.name
        try called("stop", "\(name) grace=\(request.timeout)")
        if stubborn.contains(name), containers[id]?.state == .containerRunning {
            await withCheckedContinuation { stopWaiters[id, default: []].append($0) }
        } else if containers[id]?.state == .containerRunning {
            end(id, code: 143)
        }
        return CRIStopContainerResponse()
    }

    func removeContainer(_ request: CRIRemoveContainerRequest) async throws(CRIError) -> CRIRemoveContainerResponse {
        let name = containers[request.containerID]?.config.metadata
        try called("remove", "\(name?.name ?? "?")#\(name?.attempt ?? 0)")
        containers[request.containerID] = nil
        return CRIRemoveContainerResponse()
    }

    func listContainers(_ request: CRIListContainersRequest) async throws(CRIError) -> CRIListContainersResponse {
        let found = containers.filter { matches(request.filter.labelSelector, $0.value.config.labels) }
        return CRIListContainersResponse.with { response in
            response.containers = found.map { id, container in
                CRIContainer.with {
                    $0.id = id
                    $0.podSandboxID = container.sandbox
                    $0.metadata = container.config.metadata
                    $0.state = container.state
                    $0.createdAt = container.createdAt
                    $0.labels = container.config.labels
                    $0.annotations = container.config.annotations
                }
            }
        }
    }

    func containerStatus(
        _ request: CRIContainerStatusRequest
    ) async throws(CRIError) -> CRIContainerStatusResponse {
        guard let container = containers[request.containerID] else { throw CRIError(.notFound, "no such container") }
        let logs = sandboxes[container.sandbox]?.config.logDirectory ?? ""
        return CRIContainerStatusResponse.with {
            $0.status.id = request.containerID
            $0.status.metadata = container.config.metadata
            $0.status.state = container.state
            $0.status.createdAt = container.createdAt
            $0.status.startedAt = container.startedAt
            $0.status.finishedAt = container.finishedAt
            $0.status.exitCode = container.exitCode
            $0.status.reason = container.reason
            $0.status.message = container.message
            $0.status.image = container.config.image
            $0.status.imageID = container.config.image.image
            $0.status.labels = container.config.labels
            $0.status.annotations = container.config.annotations
            $0.status.mounts = container.config.mounts
            $0.status.logPath = logs + "/" + container.config.logPath
        }
    }

    func execSync(_ request: CRIExecSyncRequest) async throws(CRIError) -> CRIExecSyncResponse {
        let command = request.cmd.first ?? ""
        try called("exec", request.cmd.joined(separator: " "))
        return CRIExecSyncResponse.with { $0.exitCode = execs[command] ?? 0 }
    }
}

// MARK: images

extension FakeRuntime {
    func imageStatus(_ request: CRIImageStatusRequest) async throws(CRIError) -> CRIImageStatusResponse {
        let reference = request.image.image
        let name = reference.hasPrefix("sha256:") ? String(reference.dropFirst(7)) : reference
        guard let user = images[name] else { return CRIImageStatusResponse() }
        return CRIImageStatusResponse.with {
            $0.image.id = "sha256:" + name
            if let uid = user.uid { $0.image.uid = CRIInt64Value.with { $0.value = uid } }
            $0.image.username = user.name
        }
    }

    func pullImage(_ request: CRIPullImageRequest) async throws(CRIError) -> CRIPullImageResponse {
        try called("pull", request.image.image)
        guard images[request.image.image] != nil else { throw nextPullError }
        return CRIPullImageResponse.with { $0.imageRef = "sha256:" + request.image.image }
    }

    func listImages(_ request: CRIListImagesRequest) async throws(CRIError) -> CRIListImagesResponse {
        CRIListImagesResponse.with { response in
            response.images = images.keys.map { name in CRIImage.with { $0.id = "sha256:" + name } }
        }
    }

    func removeImage(_ request: CRIRemoveImageRequest) async throws(CRIError) -> CRIRemoveImageResponse {
        images[request.image.image] = nil
        return CRIRemoveImageResponse()
    }
}
