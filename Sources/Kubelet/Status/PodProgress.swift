/// One step of a pod's way, for whoever shows it to people.
public struct PodProgress: Sendable, Hashable {
    public enum Step: Sendable, Hashable {
        /// A manifest asks for the pod; the file's name.
        case accepted(file: String)
        /// The pod was found running when the kubelet started, and goes on.
        case adopted
        /// Fields that are valid Kubernetes and not done here, by their paths.
        case notDone(fields: [String])
        /// The sandbox stands; the pod's address, nil on the host's network.
        case sandboxCreated(ip: String?)
        /// The image is there.
        case pulled(container: String, image: String)
        case created(container: String)
        case started(container: String)
        /// A container ended; `reason` as in its status (Completed, Error, OOMKilled).
        case exited(container: String, code: Int32, reason: String)
        /// A container is stopped on purpose, and why.
        case killing(container: String, why: String)
        /// Every container is ready.
        case ready
        /// It was ready and is no more.
        case unready
        /// What stands in the way; nil container: the pod itself. Reasons are those of the container's status
        /// (ErrImageNeverPull, ImagePullBackOff, CrashLoopBackOff, CreateContainerError, …).
        case failed(container: String?, reason: String, message: String)
        /// Every container has ended and none will be started again: "Succeeded" or "Failed".
        case finished(phase: String)
        /// The pod is being stopped.
        case stopping
        /// Nothing of the pod is left.
        case gone
    }

    public var namespace: String
    public var name: String
    public var uid: String
    public var step: Step
    public var at: WallTime

    public init(namespace: String, name: String, uid: String, step: Step, at: WallTime) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.step = step
        self.at = at
    }
}
