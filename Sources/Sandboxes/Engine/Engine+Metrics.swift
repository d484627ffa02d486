import CRI
import Cgroups
import Images
import Linux
import SwiftProtobuf

/// The metrics of pods and containers by the names that the kubelet's own collector used.
extension Engine {
    public func listMetricDescriptors(
        _ request: CRIListMetricDescriptorsRequest
    ) async throws(CRIError) -> CRIListMetricDescriptorsResponse {
        CRIListMetricDescriptorsResponse.with { response in
            response.descriptors = ContainerMetrics.all.map(\.descriptor) + PodMetrics.all.map(\.descriptor)
        }
    }

    public func listPodSandboxMetrics(
        _ request: CRIListPodSandboxMetricsRequest
    ) async throws(CRIError) -> CRIListPodSandboxMetricsResponse {
        let all = await metrics()
        return CRIListPodSandboxMetricsResponse.with { $0.podMetrics = all }
    }

    public func streamPodSandboxMetrics(
        _ request: CRIStreamPodSandboxMetricsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxMetricsResponse, any Error> {
        chunks(await metrics()) { items in
            CRIStreamPodSandboxMetricsResponse.with { $0.podSandboxMetrics = items }
        }
    }

    private func metrics() async -> [CRIPodSandboxMetrics] {
        let pods = sandboxes.values.map(\.record).filter { $0.stage == .ready }
            .sorted { $0.createdAtNanoseconds > $1.createdAtNanoseconds }
        let running = pods.map { pod in containers(of: pod.id).filter { $0.record.stage == .running } }
        let written = await writableLayers(of: running.flatMap { $0 })
        let (host, root, image) = (cgroups, images.root, configuration.sandboxImage)
        let work = zip(pods, running).map { pod, entries in (pod, entries.map(\.record)) }
        return await Blocking.run {
            // Without it the limits of the filesystem are unknown, and told as 0.
            let filesystem = try? FilesystemStatistics(root)
            return work.map { pod, records in
                var result = CRIPodSandboxMetrics()
                result.podSandboxID = pod.id.text
                let sample = PodSample(interfaces: InterfaceCounters.read(pid: pod.pausePID))
                let owner = MetricOwner(pod, image: image)
                let now = wallClockNanoseconds()
                result.metrics = PodMetrics.all.flatMap { $0.metrics(sample, of: owner, at: now) }
                result.containerMetrics = records.map { record in
                    let sample = ContainerSample(
                        record, host: host, written: written[record.id.text], filesystem: filesystem)
                    let owner = MetricOwner(record, in: pod)
                    return CRIContainerMetrics.with { metrics in
                        metrics.containerID = record.id.text
                        metrics.metrics = ContainerMetrics.all.flatMap {
                            $0.metrics(sample, of: owner, at: sample.now)
                        }
                    }
                }
                return result
            }
        }
    }
}

extension MetricOwner {
    /// A pod's own metrics carry the name that its first container has always had there.
    init(_ pod: SandboxRecord, image: String) {
        let metadata = pod.config.metadata
        self.init(
            id: pod.id.text, name: "POD", image: image, container: "POD", pod: metadata.name,
            namespace: metadata.namespace)
    }

    init(_ record: ContainerRecord, in pod: SandboxRecord) {
        let metadata = pod.config.metadata
        self.init(
            id: record.id.text, name: record.config.metadata.name, image: record.config.image.image,
            container: record.config.metadata.name, pod: metadata.name, namespace: metadata.namespace)
    }
}

extension ContainerSample {
    /// Looks. Blocking.
    init(
        _ record: ContainerRecord, host: CgroupHost, written: WritableLayers.Known?, filesystem: FilesystemStatistics?
    ) {
        // A path that was refused was never a container's.
        let cgroup = try? Cgroup(path: record.cgroupsPath, host: host)
        self.init(
            counters: cgroup?.counters() ?? CgroupCounters(), pressures: cgroup?.pressures() ?? CgroupPressures(),
            outOfMemoryKills: cgroup?.outOfMemoryKills(),
            processes: ProcessCounters.read(cgroup?.members() ?? [], first: record.pid),
            resources: record.config.linux.resources, startedAtNanoseconds: record.startedAtNanoseconds,
            now: wallClockNanoseconds(), written: written, filesystemBytes: filesystem?.totalBytes ?? 0,
            filesystemInodes: filesystem?.totalInodes ?? 0, filesystemFreeInodes: filesystem?.freeInodes ?? 0)
    }
}
