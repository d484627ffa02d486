/// A group of containers that share a network and volumes.
public struct Pod: Sendable, Hashable, Codable {
    public var apiVersion: String
    public var kind: String
    public var metadata: ObjectMeta
    public var spec: PodSpec
    public var status: PodStatus

    /// What is left out is unset, as in a manifest.
    public init(
        apiVersion: String = "v1",
        kind: String = "Pod",
        metadata: ObjectMeta = ObjectMeta(),
        spec: PodSpec = PodSpec(),
        status: PodStatus = PodStatus()
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Name, labels and the rest that every object has.
public struct ObjectMeta: Sendable, Hashable, Codable {
    public var name: String
    public var namespace: String
    public var uid: String
    public var labels: [String: String]
    public var annotations: [String: String]
    public var creationTimestamp: Time?
    public var deletionGracePeriodSeconds: Int64?
    public var deletionTimestamp: Time?
    public var finalizers: [String]
    public var generateName: String
    public var generation: Int64
    public var ownerReferences: [OwnerReference]
    public var resourceVersion: String

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        namespace: String = "",
        uid: String = "",
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        creationTimestamp: Time? = nil,
        deletionGracePeriodSeconds: Int64? = nil,
        deletionTimestamp: Time? = nil,
        finalizers: [String] = [],
        generateName: String = "",
        generation: Int64 = 0,
        ownerReferences: [OwnerReference] = [],
        resourceVersion: String = ""
    ) {
        self.name = name
        self.namespace = namespace
        self.uid = uid
        self.labels = labels
        self.annotations = annotations
        self.creationTimestamp = creationTimestamp
        self.deletionGracePeriodSeconds = deletionGracePeriodSeconds
        self.deletionTimestamp = deletionTimestamp
        self.finalizers = finalizers
        self.generateName = generateName
        self.generation = generation
        self.ownerReferences = ownerReferences
        self.resourceVersion = resourceVersion
    }
}

/// The object that this one belongs to.
public struct OwnerReference: Sendable, Hashable, Codable {
    public var name: String
    public var apiVersion: String
    public var kind: String
    public var uid: String
    public var blockOwnerDeletion: Bool?
    public var controller: Bool?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        apiVersion: String = "",
        kind: String = "",
        uid: String = "",
        blockOwnerDeletion: Bool? = nil,
        controller: Bool? = nil
    ) {
        self.name = name
        self.apiVersion = apiVersion
        self.kind = kind
        self.uid = uid
        self.blockOwnerDeletion = blockOwnerDeletion
        self.controller = controller
    }
}

/// What a pod should be.
public struct PodSpec: Sendable, Hashable, Codable {
    public var containers: [Container]
    public var activeDeadlineSeconds: Int64?
    public var automountServiceAccountToken: Bool?
    public var dnsConfig: PodDNSConfig?
    public var dnsPolicy: DNSPolicy
    public var enableServiceLinks: Bool?
    public var hostAliases: [HostAlias]
    public var hostIPC: Bool
    public var hostNetwork: Bool
    public var hostPID: Bool
    public var hostUsers: Bool?
    public var hostname: String
    public var hostnameOverride: String?
    public var imagePullSecrets: [LocalObjectReference]
    public var initContainers: [Container]
    public var nodeName: String
    public var nodeSelector: [String: String]
    public var os: PodOS?
    public var overhead: [String: Quantity]
    public var preemptionPolicy: String?
    public var priority: Int?
    public var priorityClassName: String
    public var readinessGates: [PodReadinessGate]
    public var resources: ResourceRequirements?
    public var restartPolicy: RestartPolicy
    public var runtimeClassName: String?
    public var schedulerName: String
    public var securityContext: PodSecurityContext?
    public var serviceAccount: String
    public var serviceAccountName: String
    public var setHostnameAsFQDN: Bool?
    public var shareProcessNamespace: Bool?
    public var subdomain: String
    public var terminationGracePeriodSeconds: Int64?
    public var tolerations: [Toleration]
    public var volumes: [Volume]

    /// What is left out is unset, as in a manifest.
    public init(
        containers: [Container] = [],
        activeDeadlineSeconds: Int64? = nil,
        automountServiceAccountToken: Bool? = nil,
        dnsConfig: PodDNSConfig? = nil,
        dnsPolicy: DNSPolicy = .unset,
        enableServiceLinks: Bool? = nil,
        hostAliases: [HostAlias] = [],
        hostIPC: Bool = false,
        hostNetwork: Bool = false,
        hostPID: Bool = false,
        hostUsers: Bool? = nil,
        hostname: String = "",
        hostnameOverride: String? = nil,
        imagePullSecrets: [LocalObjectReference] = [],
        initContainers: [Container] = [],
        nodeName: String = "",
        nodeSelector: [String: String] = [:],
        os: PodOS? = nil,
        overhead: [String: Quantity] = [:],
        preemptionPolicy: String? = nil,
        priority: Int? = nil,
        priorityClassName: String = "",
        readinessGates: [PodReadinessGate] = [],
        resources: ResourceRequirements? = nil,
        restartPolicy: RestartPolicy = .unset,
        runtimeClassName: String? = nil,
        schedulerName: String = "",
        securityContext: PodSecurityContext? = nil,
        serviceAccount: String = "",
        serviceAccountName: String = "",
        setHostnameAsFQDN: Bool? = nil,
        shareProcessNamespace: Bool? = nil,
        subdomain: String = "",
        terminationGracePeriodSeconds: Int64? = nil,
        tolerations: [Toleration] = [],
        volumes: [Volume] = []
    ) {
        self.containers = containers
        self.activeDeadlineSeconds = activeDeadlineSeconds
        self.automountServiceAccountToken = automountServiceAccountToken
        self.dnsConfig = dnsConfig
        self.dnsPolicy = dnsPolicy
        self.enableServiceLinks = enableServiceLinks
        self.hostAliases = hostAliases
        self.hostIPC = hostIPC
        self.hostNetwork = hostNetwork
        self.hostPID = hostPID
        self.hostUsers = hostUsers
        self.hostname = hostname
        self.hostnameOverride = hostnameOverride
        self.imagePullSecrets = imagePullSecrets
        self.initContainers = initContainers
        self.nodeName = nodeName
        self.nodeSelector = nodeSelector
        self.os = os
        self.overhead = overhead
        self.preemptionPolicy = preemptionPolicy
        self.priority = priority
        self.priorityClassName = priorityClassName
        self.readinessGates = readinessGates
        self.resources = resources
        self.restartPolicy = restartPolicy
        self.runtimeClassName = runtimeClassName
        self.schedulerName = schedulerName
        self.securityContext = securityContext
        self.serviceAccount = serviceAccount
        self.serviceAccountName = serviceAccountName
        self.setHostnameAsFQDN = setHostnameAsFQDN
        self.shareProcessNamespace = shareProcessNamespace
        self.subdomain = subdomain
        self.terminationGracePeriodSeconds = terminationGracePeriodSeconds
        self.tolerations = tolerations
        self.volumes = volumes
    }
}
