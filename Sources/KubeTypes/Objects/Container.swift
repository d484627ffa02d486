/// One container of a pod.
public struct Container: Sendable, Hashable, Codable {
    public var name: String
    public var args: [String]
    public var command: [String]
    public var env: [EnvVar]
    public var envFrom: [EnvFromSource]
    public var image: String
    public var imagePullPolicy: PullPolicy
    public var lifecycle: Lifecycle?
    public var livenessProbe: Probe?
    public var ports: [ContainerPort]
    public var readinessProbe: Probe?
    public var resizePolicy: [ContainerResizePolicy]
    public var resources: ResourceRequirements
    public var restartPolicy: ContainerRestartPolicy?
    public var restartPolicyRules: [ContainerRestartRule]
    public var securityContext: SecurityContext?
    public var startupProbe: Probe?
    public var stdin: Bool
    public var stdinOnce: Bool
    public var terminationMessagePath: String
    public var terminationMessagePolicy: TerminationMessagePolicy
    public var tty: Bool
    public var volumeMounts: [VolumeMount]
    public var workingDir: String

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        args: [String] = [],
        command: [String] = [],
        env: [EnvVar] = [],
        envFrom: [EnvFromSource] = [],
        image: String = "",
        imagePullPolicy: PullPolicy = .unset,
        lifecycle: Lifecycle? = nil,
        livenessProbe: Probe? = nil,
        ports: [ContainerPort] = [],
        readinessProbe: Probe? = nil,
        resizePolicy: [ContainerResizePolicy] = [],
        resources: ResourceRequirements = ResourceRequirements(),
        restartPolicy: ContainerRestartPolicy? = nil,
        restartPolicyRules: [ContainerRestartRule] = [],
        securityContext: SecurityContext? = nil,
        startupProbe: Probe? = nil,
        stdin: Bool = false,
        stdinOnce: Bool = false,
        terminationMessagePath: String = "",
        terminationMessagePolicy: TerminationMessagePolicy = .unset,
        tty: Bool = false,
        volumeMounts: [VolumeMount] = [],
        workingDir: String = ""
    ) {
        self.name = name
        self.args = args
        self.command = command
        self.env = env
        self.envFrom = envFrom
        self.image = image
        self.imagePullPolicy = imagePullPolicy
        self.lifecycle = lifecycle
        self.livenessProbe = livenessProbe
        self.ports = ports
        self.readinessProbe = readinessProbe
        self.resizePolicy = resizePolicy
        self.resources = resources
        self.restartPolicy = restartPolicy
        self.restartPolicyRules = restartPolicyRules
        self.securityContext = securityContext
        self.startupProbe = startupProbe
        self.stdin = stdin
        self.stdinOnce = stdinOnce
        self.terminationMessagePath = terminationMessagePath
        self.terminationMessagePolicy = terminationMessagePolicy
        self.tty = tty
        self.volumeMounts = volumeMounts
        self.workingDir = workingDir
    }
}

/// A port that a container listens on.
public struct ContainerPort: Sendable, Hashable, Codable {
    public var name: String
    public var containerPort: Int
    public var hostIP: String
    public var hostPort: Int
    public var `protocol`: NetworkProtocol

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        containerPort: Int = 0,
        hostIP: String = "",
        hostPort: Int = 0,
        `protocol`: NetworkProtocol = .unset
    ) {
        self.name = name
        self.containerPort = containerPort
        self.hostIP = hostIP
        self.hostPort = hostPort
        self.`protocol` = `protocol`
    }
}

/// Where a volume appears in a container.
public struct VolumeMount: Sendable, Hashable, Codable {
    public var name: String
    public var mountPath: String
    public var mountPropagation: MountPropagationMode?
    public var readOnly: Bool
    public var recursiveReadOnly: String?
    public var subPath: String
    public var subPathExpr: String

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        mountPath: String = "",
        mountPropagation: MountPropagationMode? = nil,
        readOnly: Bool = false,
        recursiveReadOnly: String? = nil,
        subPath: String = "",
        subPathExpr: String = ""
    ) {
        self.name = name
        self.mountPath = mountPath
        self.mountPropagation = mountPropagation
        self.readOnly = readOnly
        self.recursiveReadOnly = recursiveReadOnly
        self.subPath = subPath
        self.subPathExpr = subPathExpr
    }
}

/// What a container asks for and may not exceed.
public struct ResourceRequirements: Sendable, Hashable, Codable {
    public var limits: [String: Quantity]
    public var requests: [String: Quantity]

    /// What is left out is unset, as in a manifest.
    public init(
        limits: [String: Quantity] = [:],
        requests: [String: Quantity] = [:]
    ) {
        self.limits = limits
        self.requests = requests
    }
}

/// What a change of a resource does to the container.
public struct ContainerResizePolicy: Sendable, Hashable, Codable {
    public var resourceName: String
    public var restartPolicy: String

    /// What is left out is unset, as in a manifest.
    public init(
        resourceName: String = "",
        restartPolicy: String = ""
    ) {
        self.resourceName = resourceName
        self.restartPolicy = restartPolicy
    }
}

/// What an exit code means for the container's restart.
public struct ContainerRestartRule: Sendable, Hashable, Codable {
    public var action: String
    public var exitCodes: ContainerRestartRuleOnExitCodes?

    /// What is left out is unset, as in a manifest.
    public init(
        action: String = "",
        exitCodes: ContainerRestartRuleOnExitCodes? = nil
    ) {
        self.action = action
        self.exitCodes = exitCodes
    }
}

/// The exit codes of a restart rule.
public struct ContainerRestartRuleOnExitCodes: Sendable, Hashable, Codable {
    public var `operator`: String
    public var values: [Int]

    /// What is left out is unset, as in a manifest.
    public init(
        `operator`: String = "",
        values: [Int] = []
    ) {
        self.`operator` = `operator`
        self.values = values
    }
}
