import CRI
import Cgroups
import JSON
import Linux
import OCISpec

extension Engine {
    /// Changes a container's limits, at once when it runs; what isn't asked stays.
    public func updateContainerResources(
        _ request: CRIUpdateContainerResourcesRequest
    ) async throws(CRIError) -> CRIUpdateContainerResourcesResponse {
        let entry = try container(request.containerID)
        let (id, name) = (entry.record.id, describe(entry.record))
        do {
            try await entry.turnstile.pass {
                guard let record = containers[id]?.record else { throw CRIError(.notFound, "it was removed") }
                guard record.stage == .created || record.stage == .running else {
                    throw CRIError(.failedPrecondition, "the container has exited")
                }
                let merged = Resources.merge(record.config.linux.resources, request.linux)
                let plan = try Resources.plan(merged, facts: facts)
                let asked = try Resources.plan(request.linux, facts: facts)
                let hooked = try await hookUpdate(id, asked)
                if record.stage == .running {
                    try await apply(hooked, to: record, name: name)
                }
                try await rewriteBundle(places.bundle(id)) { _ in hooked == asked ? plan : plan.merged(with: hooked) }
                try await change(id) { record in
                    record.config.linux.resources = hooked == asked ? merged : hooked.noted(in: merged)
                }
            }
            await hookUpdated(id)
            return CRIUpdateContainerResourcesResponse()
        } catch {
            throw Failure.translate(error, "\(name): update resources")
        }
    }

    /// Sets a running container's limits: in its cgroup, or through systemd, which would set its own again.
    func apply(_ limits: LinuxResources, to record: ContainerRecord, name: String) async throws {
        let (path, host) = (record.cgroupsPath, cgroups)
        guard configuration.cgroupDriver == .systemd else {
            return try await Blocking.run { try Cgroup(path: path, host: host).apply(limits, updating: true) }
        }
        let runtime = RuntimeCommand(
            path: try runtime(handler: sandboxes[record.sandbox]?.record.runtimeHandler ?? "", for: name),
            root: places.runtimeRoot)
        let milliseconds = Int32(clamping: configuration.stepDeadline.components.seconds * 1000)
        try await Blocking.run {
            try runtime.update(record.id.text, resources: limits.encoded(), milliseconds: milliseconds)
        }
    }

    /// The bundle's spec with other limits, so that a start (or a look at it) finds them.
    func rewriteBundle(
        _ bundle: String, limits: @escaping @Sendable (LinuxResources) -> LinuxResources
    ) async throws {
        try await Blocking.run {
            let path = bundle + "/config.json"
            var spec = try Spec.read(try File.read(path, limit: 16 << 20))
            var new = limits(spec.linux?.resources ?? LinuxResources())
            new.devices = spec.linux?.resources?.devices ?? []
            spec.linux?.resources = new
            try AtomicFile.write(path, spec.encoded(), mode: 0o600)
        }
    }

    /// The pod's cgroup belongs to the kubelet, which has changed it by the time it asks; the new values are noted.
    public func updatePodSandboxResources(
        _ request: CRIUpdatePodSandboxResourcesRequest
    ) async throws(CRIError) -> CRIUpdatePodSandboxResourcesResponse {
        let entry = try sandbox(request.podSandboxID)
        do {
            // The kubelet sets them; here they are only known, but as numbers that can be.
            for asked in [request.overhead, request.resources] { _ = try Resources.plan(asked, facts: facts) }
            try await hookUpdate(entry.record.id, request)
            try await change(entry.record.id) { record in
                if request.hasOverhead { record.config.linux.overhead = request.overhead }
                if request.hasResources { record.config.linux.resources = request.resources }
            }
            await hookUpdated(entry.record.id)
        } catch {
            throw Failure.translate(error, "pod \(podName(entry.record.id)): update resources")
        }
        return CRIUpdatePodSandboxResourcesResponse()
    }

    /// Opens the container's log anew after a rotation.
    public func reopenContainerLog(
        _ request: CRIReopenContainerLogRequest
    ) async throws(CRIError) -> CRIReopenContainerLogResponse {
        let entry = try container(request.containerID)
        let name = describe(entry.record)
        guard entry.record.stage == .running else {
            throw CRIError(.failedPrecondition, "\(name): reopen log: the container doesn't run")
        }
        let shim = try shim(of: entry.record.sandbox, for: name)
        do {
            try await shim.reopenLog(entry.record.id.text)
        } catch {
            throw Failure.translate(error, "\(name): reopen log")
        }
        return CRIReopenContainerLogResponse()
    }
}
