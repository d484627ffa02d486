import FoundationEssentials

/// What the table needs of a v1.PodList.
package struct PodList: Decodable {
    package struct Item: Decodable {
        struct Metadata: Decodable {
            var name: String
            var namespace: String
            var deletionTimestamp: String?
        }
        struct Spec: Decodable {
            struct Container: Decodable {
                var name: String
                var restartPolicy: String?
            }
            var containers: [Container]
            var initContainers: [Container]?
        }
        struct Reason: Decodable {
            var reason: String?
            var message: String?
            var exitCode: Int32?
        }
        struct State: Decodable {
            var waiting: Reason?
            var terminated: Reason?
        }
        struct Container: Decodable {
            var name: String?
            var ready: Bool?
            var restartCount: Int?
            var state: State?
        }
        struct Status: Decodable {
            var phase: String?
            var reason: String?
            var message: String?
            var podIP: String?
            var startTime: String?
            var initContainerStatuses: [Container]?
            var containerStatuses: [Container]?
        }
        var metadata: Metadata
        var spec: Spec
        var status: Status?
    }
    package var items: [Item]
}

/// Pods as `kubectl get pods --all-namespaces` shows them.
package enum PodTable {
    package static func text(_ pods: [PodList.Item], wide: Bool, now: Date = Date()) -> String {
        guard !pods.isEmpty else { return "No pods found." }
        var table =
            wide
            ? Table("NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "MESSAGE")
            : Table("NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP")
        for pod in pods {
            let containers = (pod.status?.containerStatuses ?? []) + sidecars(pod)
            let ready = containers.count { $0.ready ?? false }
            // While it is initialised a pod restarts what initialises it.
            let restarting = isInitialising(pod) ? pod.status?.initContainerStatuses ?? [] : containers
            let restarts = restarting.reduce(0) { $0 + ($1.restartCount ?? 0) }
            let cells = [
                pod.metadata.namespace, pod.metadata.name,
                "\(ready)/\(pod.spec.containers.count + sidecarNames(pod).count)", status(pod),
                "\(restarts)", age(pod.status?.startTime, now), pod.status?.podIP ?? "<none>",
            ]
            table.add(cells + (wide ? [message(pod)] : []))
        }
        return table.text
    }

    /// Init containers that are kept running count as containers.
    private static func sidecarNames(_ pod: PodList.Item) -> Set<String> {
        Set((pod.spec.initContainers ?? []).filter { $0.restartPolicy == "Always" }.map(\.name))
    }

    private static func sidecars(_ pod: PodList.Item) -> [PodList.Item.Container] {
        let names = sidecarNames(pod)
        return (pod.status?.initContainerStatuses ?? []).filter { names.contains($0.name ?? "") }
    }

    private static func isInitialising(_ pod: PodList.Item) -> Bool {
        pod.status?.phase == "Pending" && (pod.status?.initContainerStatuses ?? []).contains { !done($0) }
    }

    /// The word that tells most: why a container waits or ended, else the phase.
    static func status(_ pod: PodList.Item) -> String {
        if pod.metadata.deletionTimestamp != nil { return "Terminating" }
        let initial = pod.status?.initContainerStatuses ?? []
        if let index = initial.firstIndex(where: { !done($0) }), stoppedBefore(pod, initial[index]) {
            let state = initial[index].state
            if let reason = state?.waiting?.reason, reason != "PodInitializing" { return "Init:" + reason }
            if let ended = state?.terminated { return "Init:" + (ended.reason ?? "Error") }
            return "Init:\(index)/\(initial.count)"
        }
        for container in pod.status?.containerStatuses ?? [] {
            if let reason = container.state?.waiting?.reason, !reason.isEmpty { return reason }
            if let ended = container.state?.terminated, pod.status?.phase != "Succeeded" {
                return ended.reason ?? "ExitCode:\(ended.exitCode ?? 0)"
            }
        }
        if let reason = pod.status?.reason, !reason.isEmpty { return reason }
        return pod.status?.phase == "Succeeded" ? "Completed" : pod.status?.phase ?? "Unknown"
    }

    /// The pod has not come further than this init container: it goes on with it, or ended with its failure.
    private static func stoppedBefore(_ pod: PodList.Item, _ container: PodList.Item.Container) -> Bool {
        switch pod.status?.phase {
        case "Pending": true
        case "Failed":
            (container.state?.terminated?.exitCode ?? 0) != 0
                && (pod.status?.containerStatuses ?? []).allSatisfy { $0.state?.terminated == nil }
        default: false
        }
    }

    private static func done(_ container: PodList.Item.Container) -> Bool {
        container.state?.terminated?.exitCode == 0 || container.ready == true
    }

    /// What a person needs to know to help the pod on; one line.
    static func message(_ pod: PodList.Item) -> String {
        let containers = (pod.status?.initContainerStatuses ?? []) + (pod.status?.containerStatuses ?? [])
        let waiting = containers.compactMap { $0.state?.waiting?.message }.first { !$0.isEmpty }
        let text = waiting ?? pod.status?.message ?? ""
        return text.split(separator: "\n").joined(separator: "; ")
    }

    /// "45s", "12m", "3h", "9d", as kubectl does.
    static func age(_ start: String?, _ now: Date) -> String {
        guard let start, let date = try? Date(start, strategy: .iso8601) else { return "<unknown>" }
        let seconds = max(0, Int(now.timeIntervalSince(date)))
        return switch seconds {
        case ..<120: "\(seconds)s"
        case ..<7200: "\(seconds / 60)m"
        case ..<172_800: "\(seconds / 3600)h"
        default: "\(seconds / 86400)d"
        }
    }
}
