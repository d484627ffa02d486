/// The privileges of one container.
public struct SecurityContext: Sendable, Hashable, Codable {
    public var allowPrivilegeEscalation: Bool?
    public var appArmorProfile: AppArmorProfile?
    public var capabilities: Capabilities?
    public var privileged: Bool?
    public var procMount: ProcMountType?
    public var readOnlyRootFilesystem: Bool?
    public var runAsGroup: Int64?
    public var runAsNonRoot: Bool?
    public var runAsUser: Int64?
    public var seLinuxOptions: SELinuxOptions?
    public var seccompProfile: SeccompProfile?

    /// What is left out is unset, as in a manifest.
    public init(
        allowPrivilegeEscalation: Bool? = nil,
        appArmorProfile: AppArmorProfile? = nil,
        capabilities: Capabilities? = nil,
        privileged: Bool? = nil,
        procMount: ProcMountType? = nil,
        readOnlyRootFilesystem: Bool? = nil,
        runAsGroup: Int64? = nil,
        runAsNonRoot: Bool? = nil,
        runAsUser: Int64? = nil,
        seLinuxOptions: SELinuxOptions? = nil,
        seccompProfile: SeccompProfile? = nil
    ) {
        self.allowPrivilegeEscalation = allowPrivilegeEscalation
        self.appArmorProfile = appArmorProfile
        self.capabilities = capabilities
        self.privileged = privileged
        self.procMount = procMount
        self.readOnlyRootFilesystem = readOnlyRootFilesystem
        self.runAsGroup = runAsGroup
        self.runAsNonRoot = runAsNonRoot
        self.runAsUser = runAsUser
        self.seLinuxOptions = seLinuxOptions
        self.seccompProfile = seccompProfile
    }
}

/// The privileges of a pod; a container's own win.
public struct PodSecurityContext: Sendable, Hashable, Codable {
    public var appArmorProfile: AppArmorProfile?
    public var fsGroup: Int64?
    public var fsGroupChangePolicy: String?
    public var runAsGroup: Int64?
    public var runAsNonRoot: Bool?
    public var runAsUser: Int64?
    public var seLinuxChangePolicy: String?
    public var seLinuxOptions: SELinuxOptions?
    public var seccompProfile: SeccompProfile?
    public var supplementalGroups: [Int64]
    public var supplementalGroupsPolicy: String?
    public var sysctls: [Sysctl]

    /// What is left out is unset, as in a manifest.
    public init(
        appArmorProfile: AppArmorProfile? = nil,
        fsGroup: Int64? = nil,
        fsGroupChangePolicy: String? = nil,
        runAsGroup: Int64? = nil,
        runAsNonRoot: Bool? = nil,
        runAsUser: Int64? = nil,
        seLinuxChangePolicy: String? = nil,
        seLinuxOptions: SELinuxOptions? = nil,
        seccompProfile: SeccompProfile? = nil,
        supplementalGroups: [Int64] = [],
        supplementalGroupsPolicy: String? = nil,
        sysctls: [Sysctl] = []
    ) {
        self.appArmorProfile = appArmorProfile
        self.fsGroup = fsGroup
        self.fsGroupChangePolicy = fsGroupChangePolicy
        self.runAsGroup = runAsGroup
        self.runAsNonRoot = runAsNonRoot
        self.runAsUser = runAsUser
        self.seLinuxChangePolicy = seLinuxChangePolicy
        self.seLinuxOptions = seLinuxOptions
        self.seccompProfile = seccompProfile
        self.supplementalGroups = supplementalGroups
        self.supplementalGroupsPolicy = supplementalGroupsPolicy
        self.sysctls = sysctls
    }
}

/// Capabilities added to and dropped from the default set.
public struct Capabilities: Sendable, Hashable, Codable {
    public var add: [String]
    public var drop: [String]

    /// What is left out is unset, as in a manifest.
    public init(
        add: [String] = [],
        drop: [String] = []
    ) {
        self.add = add
        self.drop = drop
    }
}

/// Which system call filter applies.
public struct SeccompProfile: Sendable, Hashable, Codable {
    public var type: SeccompProfileType
    public var localhostProfile: String?

    /// What is left out is unset, as in a manifest.
    public init(
        type: SeccompProfileType = .unset,
        localhostProfile: String? = nil
    ) {
        self.type = type
        self.localhostProfile = localhostProfile
    }
}

/// Which AppArmor profile applies.
public struct AppArmorProfile: Sendable, Hashable, Codable {
    public var type: AppArmorProfileType
    public var localhostProfile: String?

    /// What is left out is unset, as in a manifest.
    public init(
        type: AppArmorProfileType = .unset,
        localhostProfile: String? = nil
    ) {
        self.type = type
        self.localhostProfile = localhostProfile
    }
}

/// An SELinux label.
public struct SELinuxOptions: Sendable, Hashable, Codable {
    public var type: String
    public var level: String
    public var role: String
    public var user: String

    /// What is left out is unset, as in a manifest.
    public init(
        type: String = "",
        level: String = "",
        role: String = "",
        user: String = ""
    ) {
        self.type = type
        self.level = level
        self.role = role
        self.user = user
    }
}

/// A kernel parameter of the pod's namespaces.
public struct Sysctl: Sendable, Hashable, Codable {
    public var name: String
    public var value: String

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        value: String = ""
    ) {
        self.name = name
        self.value = value
    }
}
