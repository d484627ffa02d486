import CRI
import SwiftProtobuf

/// The metrics of pods and containers by the names that the kubelet's own collector used.
extension Engine {
    private struct Named: Sendable {
        var name: String
        var help: String
        var type: CRIMetricType
        var labels: [String]
    }

    private static let labels = ["id", "name", "image"]

    private static let containerMetrics = [
        Named(
            name: "container_cpu_usage_seconds_total", help: "Cumulative cpu time consumed in seconds.", type: .counter,
            labels: labels),
        Named(
            name: "container_memory_usage_bytes", help: "Current memory usage in bytes, with page cache.", type: .gauge,
            labels: labels),
        Named(
            name: "container_memory_working_set_bytes", help: "Current working set in bytes.", type: .gauge,
            labels: labels),
        Named(name: "container_memory_rss", help: "Anonymous memory in bytes.", type: .gauge, labels: labels),
        Named(
            name: "container_fs_usage_bytes", help: "Bytes of the container's writable layer.", type: .gauge,
            labels: labels),
        Named(name: "container_start_time_seconds", help: "Start time since the epoch.", type: .gauge, labels: labels),
    ]

    private static let podMetrics = [
        Named(
            name: "container_network_receive_bytes_total", help: "Cumulative count of bytes received.", type: .counter,
            labels: ["interface"]),
        Named(
            name: "container_network_transmit_bytes_total", help: "Cumulative count of bytes transmitted.",
            type: .counter, labels: ["interface"]),
        Named(name: "container_processes", help: "Number of processes of the pod.", type: .gauge, labels: []),
    ]

    public func listMetricDescriptors(
        _ request: CRIListMetricDescriptorsRequest
    ) async throws(CRIError) -> CRIListMetricDescriptorsResponse {
        CRIListMetricDescriptorsResponse.with { response in
            response.descriptors = (Self.containerMetrics + Self.podMetrics).map { metric in
                CRIMetricDescriptor.with {
                    $0.name = metric.name
                    $0.help = metric.help
                    $0.labelKeys = metric.labels
                }
            }
        }
    }

    public func listPodSandboxMetrics(
        _ request: CRIListPodSandboxMetricsRequest
    ) async throws(CRIError) -> CRIListPodSandboxMetricsResponse {
        let all = try await metrics()
        return CRIListPodSandboxMetricsResponse.with { $0.podMetrics = all }
    }

    public func streamPodSandboxMetrics(
        _ request: CRIStreamPodSandboxMetricsRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamPodSandboxMetricsResponse, any Error> {
        chunks(try await metrics()) { items in
            CRIStreamPodSandboxMetricsResponse.with { $0.podSandboxMetrics = items }
        }
    }

    private func metrics() async throws(CRIError) -> [CRIPodSandboxMetrics] {
        let pods = try await listPodSandboxStats(CRIListPodSandboxStatsRequest()).stats
        return pods.map { pod in
            var result = CRIPodSandboxMetrics()
            result.podSandboxID = pod.attributes.id
            let network = pod.linux.network
            for interface in [network.defaultInterface] + network.interfaces where !interface.name.isEmpty {
                for (metric, value) in zip(Self.podMetrics, [interface.rxBytes.value, interface.txBytes.value]) {
                    result.metrics.append(Self.metric(metric, value, [interface.name], network.timestamp))
                }
            }
            result.metrics.append(
                Self.metric(
                    Self.podMetrics[2], pod.linux.process.processCount.value, [], pod.linux.process.timestamp))
            result.containerMetrics = pod.linux.containers.map { container in
                let record = ContainerID(container.attributes.id).flatMap { containers[$0]?.record }
                let labels = [
                    container.attributes.id, container.attributes.metadata.name, record?.config.image.image ?? "",
                ]
                let values = [
                    container.cpu.usageCoreNanoSeconds.value / 1_000_000_000, container.memory.usageBytes.value,
                    container.memory.workingSetBytes.value, container.memory.rssBytes.value,
                    container.writableLayer.usedBytes.value,
                    UInt64(max(0, record?.startedAtNanoseconds ?? 0)) / 1_000_000_000,
                ]
                return CRIContainerMetrics.with { result in
                    result.containerID = container.attributes.id
                    result.metrics = zip(Self.containerMetrics, values).map {
                        Self.metric($0, $1, labels, container.cpu.timestamp)
                    }
                }
            }
            return result
        }
    }

    private static func metric(_ named: Named, _ value: UInt64, _ labels: [String], _ timestamp: Int64) -> CRIMetric {
        CRIMetric.with {
            $0.name = named.name
            $0.timestamp = timestamp
            $0.metricType = named.type
            $0.labelValues = labels
            $0.value.value = value
        }
    }
}
