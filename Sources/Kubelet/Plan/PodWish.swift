import KubeTypes

/// What is wanted of a pod.
enum PodWish: Sendable, Hashable {
    /// It runs to its end.
    case run(Pod)
    /// It stops; nil grace: the pod's own, or what its containers' annotations say.
    case stop(Pod?, graceSeconds: Int64?)

    var pod: Pod? {
        switch self {
        case .run(let pod): pod
        case .stop(let pod, _): pod
        }
    }

    var isStop: Bool { if case .stop = self { true } else { false } }
}
