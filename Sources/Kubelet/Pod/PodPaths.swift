import KubeTypes

/// Where a pod's own files are, as on any Kubernetes node.
struct PodPaths: Sendable, Hashable {
    /// `<root>/pods/<uid>`
    let directory: String
    /// `<pod logs>/NAMESPACE_NAME_UID`
    var logs: String { "\(logsRoot)/\(logsName)" }
    /// The directory of all pods' logs.
    let logsRoot: String
    /// `NAMESPACE_NAME_UID`
    let logsName: String
    /// The directory of the links to all containers' logs.
    let links: String

    init(_ configuration: KubeletConfiguration, namespace: String, name: String, uid: String) {
        directory = "\(configuration.root)/pods/\(uid)"
        logsRoot = configuration.podLogs
        logsName = "\(namespace)_\(name)_\(uid)"
        links = configuration.containerLogs
    }

    init(_ configuration: KubeletConfiguration, _ pod: Pod) {
        self.init(
            configuration, namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid)
    }

    var hosts: String { directory + "/etc-hosts" }
    var volumes: String { directory + "/volumes" }
    var subPaths: String { directory + "/volume-subpaths" }

    func emptyDir(_ volume: String) -> String { "\(volumes)/kubernetes.io~empty-dir/\(volume)" }
    func container(_ name: String) -> String { "\(directory)/containers/\(name)" }
    func subPath(_ volume: String, container: String, index: Int) -> String {
        "\(subPaths)/\(volume)/\(container)/\(index)"
    }
    func containerLogs(_ name: String) -> String { "\(logs)/\(name)" }
}
