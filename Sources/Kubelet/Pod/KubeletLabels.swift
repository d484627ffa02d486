/// The names by which a kubelet knows its own in the runtime; upstream's, so that every CRI client understands them.
enum KubeletLabels {
    static let podName = "io.kubernetes.pod.name"
    static let podNamespace = "io.kubernetes.pod.namespace"
    static let podUID = "io.kubernetes.pod.uid"
    static let containerName = "io.kubernetes.container.name"

    static let containerHash = "io.kubernetes.container.hash"
    static let restartCount = "io.kubernetes.container.restartCount"
    static let terminationMessagePath = "io.kubernetes.container.terminationMessagePath"
    static let terminationMessagePolicy = "io.kubernetes.container.terminationMessagePolicy"
    static let preStop = "io.kubernetes.container.preStopHandler"
    static let containerPorts = "io.kubernetes.container.ports"
    static let podGracePeriod = "io.kubernetes.pod.terminationGracePeriod"

    static let configSource = "kubernetes.io/config.source"
    static let configHash = "kubernetes.io/config.hash"
    static let configSeen = "kubernetes.io/config.seen"
}
