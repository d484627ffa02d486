import KubeTypes

/// A pod as it is wished and as it is: `pod.status` is filled in.
public struct PodReport: Sendable, Hashable {
    public var pod: Pod
    public var status: PodStatus
    /// The manifest it came from; nil for a pod that was found in the runtime without one.
    public var file: String?
    /// Paths of fields that are valid Kubernetes and not done here.
    public var notDone: [String]

    public init(pod: Pod, status: PodStatus, file: String?, notDone: [String]) {
        self.pod = pod
        self.status = status
        self.file = file
        self.notDone = notDone
    }
}
