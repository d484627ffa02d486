/// What a pod is.
public struct PodStatus: Sendable, Hashable, Codable {
    public var conditions: [PodCondition]
    public var containerStatuses: [ContainerStatus]
    public var hostIP: String
    public var hostIPs: [HostIP]
    public var initContainerStatuses: [ContainerStatus]
    public var message: String
    public var nominatedNodeName: String
    public var observedGeneration: Int64
    public var phase: PodPhase
    public var podIP: String
    public var podIPs: [PodIP]
    public var qosClass: QOSClass
    public var reason: String
    public var resize: String
    public var startTime: Time?

    /// What is left out is unset, as in a manifest.
    public init(
        conditions: [PodCondition] = [],
        containerStatuses: [ContainerStatus] = [],
        hostIP: String = "",
        hostIPs: [HostIP] = [],
        initContainerStatuses: [ContainerStatus] = [],
        message: String = "",
        nominatedNodeName: String = "",
        observedGeneration: Int64 = 0,
        phase: PodPhase = .unset,
        podIP: String = "",
        podIPs: [PodIP] = [],
        qosClass: QOSClass = .unset,
        reason: String = "",
        resize: String = "",
        startTime: Time? = nil
    ) {
        self.conditions = conditions
        self.containerStatuses = containerStatuses
        self.hostIP = hostIP
        self.hostIPs = hostIPs
        self.initContainerStatuses = initContainerStatuses
        self.message = message
        self.nominatedNodeName = nominatedNodeName
        self.observedGeneration = observedGeneration
        self.phase = phase
        self.podIP = podIP
        self.podIPs = podIPs
        self.qosClass = qosClass
        self.reason = reason
        self.resize = resize
        self.startTime = startTime
    }
}

/// One aspect of a pod's state.
public struct PodCondition: Sendable, Hashable, Codable {
    public var type: String
    public var status: ConditionStatus
    public var lastProbeTime: Time?
    public var lastTransitionTime: Time?
    public var message: String
    public var observedGeneration: Int64
    public var reason: String

    /// What is left out is unset, as in a manifest.
    public init(
        type: String = "",
        status: ConditionStatus = .unset,
        lastProbeTime: Time? = nil,
        lastTransitionTime: Time? = nil,
        message: String = "",
        observedGeneration: Int64 = 0,
        reason: String = ""
    ) {
        self.type = type
        self.status = status
        self.lastProbeTime = lastProbeTime
        self.lastTransitionTime = lastTransitionTime
        self.message = message
        self.observedGeneration = observedGeneration
        self.reason = reason
    }
}

/// An address of the pod.
public struct PodIP: Sendable, Hashable, Codable {
    public var ip: String

    /// What is left out is unset, as in a manifest.
    public init(
        ip: String = ""
    ) {
        self.ip = ip
    }
}

/// An address of the node.
public struct HostIP: Sendable, Hashable, Codable {
    public var ip: String

    /// What is left out is unset, as in a manifest.
    public init(
        ip: String = ""
    ) {
        self.ip = ip
    }
}
