import FoundationEssentials
import JSON
import KubeTypes
import Kubelet

/// A v1.PodList of the node's pods, each with its status, in the shape that kubectl prints.
enum PodListDocument {
    static func json(_ reports: [PodReport]) -> Data {
        let items = reports.map { report -> JSONValue in
            var pod = report.pod
            pod.status = report.status
            return pod.json()
        }
        let list: JSONValue = ["apiVersion": "v1", "kind": "PodList", "items": .array(items)]
        return Data(list.encoded(pretty: true))
    }
}
