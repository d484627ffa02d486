import CRI
import JSON
import SwiftProtobuf

extension Engine {
    public func podSandboxStatus(
        _ request: CRIPodSandboxStatusRequest
    ) async throws(CRIError) -> CRIPodSandboxStatusResponse {
        let entry = try sandbox(request.podSandboxID)
        let id = entry.record.id
        var response = CRIPodSandboxStatusResponse()
        response.status = status(entry.record)
        response.containersStatuses = visibleStatuses(of: id)
        response.timestamp = wallClockNanoseconds()
        if request.verbose { response.info = ["info": await info(entry.record)] }
        return response
    }

    public func containerStatus(
        _ request: CRIContainerStatusRequest
    ) async throws(CRIError) -> CRIContainerStatusResponse {
        let entry = try container(request.containerID)
        var response = CRIContainerStatusResponse()
        response.status = status(entry.record)
        if request.verbose { response.info = ["info": await info(entry.record)] }
        return response
    }

    /// A sandbox as the CRI tells it.
    func status(_ record: SandboxRecord) -> CRIPodSandboxStatus {
        var status = CRIPodSandboxStatus()
        status.id = record.id.text
        status.metadata = record.config.metadata
        status.state = record.stage == .ready ? .sandboxReady : .sandboxNotready
        status.createdAt = record.createdAtNanoseconds
        status.labels = record.config.labels
        status.annotations = record.config.annotations
        status.runtimeHandler = record.runtimeHandler
        status.linux.namespaces.options = record.config.linux.securityContext.namespaceOptions
        // On the host's network the kubelet knows the addresses itself.
        if let first = record.addresses.first {
            status.network.ip = first
            status.network.additionalIps = record.addresses.dropFirst().map { ip in CRIPodIP.with { $0.ip = ip } }
        } else {
            status.network = CRIPodSandboxNetworkStatus()
        }
        return status
    }

    /// A container as the CRI tells it.
    func status(_ record: ContainerRecord) -> CRIContainerStatus {
        var status = CRIContainerStatus()
        status.id = record.id.text
        status.metadata = record.config.metadata
        status.state = ContainerEntry.state(of: record)
        status.createdAt = record.createdAtNanoseconds
        status.startedAt = record.startedAtNanoseconds
        status.image = record.config.image
        status.imageRef = record.imageRef
        status.imageID = record.imageID
        status.labels = record.config.labels
        status.annotations = record.config.annotations
        status.mounts = record.config.mounts.map { mount in
            var mount = mount
            if let reference = record.imageVolumes[mount.containerPath] { mount.image.imageRef = reference }
            return mount
        }
        status.logPath = record.logPath
        status.stopSignal = StopSignal.criSignal(record.stopSignal)
        if record.stage == .exited {
            status.finishedAt = record.finishedAtNanoseconds
            status.exitCode = record.exitCode
            status.reason = record.reason
            status.message = record.message
        }
        status.resources.linux = record.config.linux.resources
        status.user.linux.uid = Int64(record.user.uid)
        status.user.linux.gid = Int64(record.user.gid)
        status.user.linux.supplementalGroups = record.user.groups.map(Int64.init)
        return status
    }

    /// The statuses of a sandbox's containers, oldest first.
    func visibleStatuses(of id: SandboxID) -> [CRIContainerStatus] {
        containers(of: id).filter(\.isVisible).map { status($0.record) }
    }

    /// What containerd's verbose answer has about a sandbox; people's scripts read `pid`, `runtimeSpec` and `config`.
    private func info(_ record: SandboxRecord) async -> String {
        let alive = record.stage == .ready
        var info: JSONValue = [
            "pid": .int(alive ? Int64(record.pausePID) : 0),
            "processStatus": alive ? "running" : "deleted",
            "netNamespaceClosed": .bool(!alive),
            "image": .string(configuration.sandboxImage),
            "snapshotKey": "",
            "snapshotter": "",
            "runtimeHandler": .string(record.runtimeHandler),
            "runtimeType": "kubesim-shim",
            "runtimeOptions": runtimeOptions(record.runtimeHandler),
            "config": (try? CRIDocument.value(record.config)) ?? .null,
            "runtimeSpec": await runtimeSpec(bundle: places.pauseBundle(record.id)),
            "cniResult": record.networkResult ?? .null,
        ]
        info["netns"] = record.netns.map(JSONValue.string) ?? .null
        return String(decoding: info.encoded(pretty: false), as: UTF8.self)
    }

    /// What containerd's verbose answer has about a container.
    private func info(_ record: ContainerRecord) async -> String {
        let info: JSONValue = [
            "sandboxID": .string(record.sandbox.text),
            "pid": .int(record.stage == .running ? Int64(record.pid) : 0),
            "removing": .bool(record.stage == .removing),
            "snapshotKey": .string(record.id.text),
            "snapshotter": "overlayfs",
            "runtimeType": "kubesim-shim",
            "runtimeOptions": runtimeOptions(sandboxes[record.sandbox]?.record.runtimeHandler ?? ""),
            "config": (try? CRIDocument.value(record.config)) ?? .null,
            "runtimeSpec": await runtimeSpec(bundle: places.bundle(record.id)),
        ]
        return String(decoding: info.encoded(pretty: false), as: UTF8.self)
    }

    /// The runtime of a handler; one that is no longer configured was of the default's kind.
    private func runtimeOptions(_ handler: String) -> JSONValue {
        let path = configuration.runtimeHandlers[handler]?.path ?? configuration.runtimePath
        return [
            "BinaryName": .string(path), "SystemdCgroup": .bool(configuration.cgroupDriver == .systemd),
        ]
    }

    /// The spec as it was given to the runtime; null once the bundle is gone.
    private func runtimeSpec(bundle: String) async -> JSONValue {
        await Blocking.run { BundleSpec.value(bundle) ?? .null }
    }
}
