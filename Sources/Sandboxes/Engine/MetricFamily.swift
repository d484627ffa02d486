import CRI
import Cgroups
import SwiftProtobuf

/// A metric by the name that cAdvisor gave it, and how its values come out of what was looked at.
struct MetricFamily<Sample>: Sendable {
    /// One value with what tells it from the family's others.
    struct Value: Sendable {
        var value: UInt64
        /// The values of ``MetricFamily/labels``.
        var labels: [String] = []
    }

    var name: String
    var help: String
    var type: CRIMetricType
    /// Labels beyond those that every metric has.
    var labels: [String] = []
    var values: @Sendable (Sample) -> [Value]

    init(
        _ type: CRIMetricType, _ name: String, _ help: String, labels: [String] = [],
        values: @escaping @Sendable (Sample) -> [Value]
    ) {
        self.name = name
        self.help = help
        self.type = type
        self.labels = labels
        self.values = values
    }

    /// A family of one value, none where it isn't known.
    static func single(
        _ type: CRIMetricType, _ name: String, _ help: String, _ value: @escaping @Sendable (Sample) -> UInt64?
    ) -> MetricFamily {
        MetricFamily(type, name, help) { sample in value(sample).map { [Value(value: $0)] } ?? [] }
    }

    var descriptor: CRIMetricDescriptor {
        CRIMetricDescriptor.with {
            $0.name = name
            $0.help = help
            $0.labelKeys = MetricOwner.keys + labels
        }
    }

    /// The family's metrics of one owner.
    func metrics(_ sample: Sample, of owner: MetricOwner, at timestamp: Int64) -> [CRIMetric] {
        values(sample).map { value in
            CRIMetric.with {
                $0.name = name
                $0.timestamp = timestamp
                $0.metricType = type
                $0.labelValues = owner.values + value.labels
                $0.value.value = value.value
            }
        }
    }
}

/// The labels that say whose a metric is: the kubelet exports them just so.
struct MetricOwner: Sendable {
    static let keys = ["id", "name", "image", "container", "pod", "namespace"]

    var id: String
    var name: String
    var image: String
    var container: String
    var pod: String
    var namespace: String

    var values: [String] { [id, name, image, container, pod, namespace] }
}

/// What was looked at of a container.
struct ContainerSample: Sendable {
    var counters: CgroupCounters
    var pressures: CgroupPressures
    var outOfMemoryKills: UInt64?
    var processes: ProcessCounters
    var resources: CRILinuxContainerResources
    var startedAtNanoseconds: Int64
    var now: Int64
    /// What the container has written, and the filesystem that it lies on.
    var written: WritableLayers.Known?
    var filesystemBytes: UInt64
    var filesystemInodes: UInt64
    var filesystemFreeInodes: UInt64
}

/// What was looked at of a pod.
struct PodSample: Sendable {
    var interfaces: [InterfaceCounters]
}
