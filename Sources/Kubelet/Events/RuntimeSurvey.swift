import CRI

/// Every pod of a kubelet in the runtime, in two lists.
struct RuntimeSurvey: Sendable {
    /// One pod as the lists show it.
    struct Entry: Sendable, Hashable {
        var uid: String
        var name: String
        var namespace: String
        /// It was made by this node's kubelet from a manifest.
        var isOurs: Bool
        /// Ids and states: two surveys with equal marks have nothing new to say about the pod.
        var marks: Set<String>
    }

    private(set) var pods: [String: Entry] = [:]

    /// - Parameter nodeName: the name that this node's static pods end in
    static func take(_ runtime: any RuntimeService, nodeName: String) async throws(CRIError) -> RuntimeSurvey {
        var survey = RuntimeSurvey()
        for sandbox in try await runtime.listPodSandbox(CRIListPodSandboxRequest()).items {
            guard let uid = sandbox.labels[KubeletLabels.podUID], let name = sandbox.labels[KubeletLabels.podName],
                let namespace = sandbox.labels[KubeletLabels.podNamespace]
            else { continue }
            var entry =
                survey.pods[uid] ?? Entry(uid: uid, name: name, namespace: namespace, isOurs: false, marks: [])
            entry.isOurs =
                entry.isOurs
                || (sandbox.annotations[KubeletLabels.configSource] == "file"
                    && name.hasSuffix("-\(nodeName.lowercased())"))
            entry.marks.insert("\(sandbox.id) \(sandbox.state)")
            survey.pods[uid] = entry
        }
        for container in try await runtime.listContainers(CRIListContainersRequest()).containers {
            guard let uid = container.labels[KubeletLabels.podUID] else { continue }
            survey.pods[uid]?.marks.insert("\(container.id) \(container.state)")
        }
        return survey
    }
}
