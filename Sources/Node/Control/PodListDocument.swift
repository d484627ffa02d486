import FoundationEssentials
import KubeTypes
import Kubelet

/// A v1.PodList of the node's pods, each with its status.
enum PodListDocument {
    static func json(_ reports: [PodReport]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(PodListObject(items: reports.map(\.podWithStatus)))
    }
}

private struct PodListObject: Encodable {
    let apiVersion = "v1"
    let kind = "PodList"
    let items: [Pod]
}

extension PodReport {
    fileprivate var podWithStatus: Pod {
        var pod = pod
        pod.status = status
        return pod
    }
}
