/// One environment variable.
public struct EnvVar: Sendable, Hashable, Codable {
    public var name: String
    public var value: String
    public var valueFrom: EnvVarSource?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        value: String = "",
        valueFrom: EnvVarSource? = nil
    ) {
        self.name = name
        self.value = value
        self.valueFrom = valueFrom
    }
}

/// Where a variable's value comes from.
public struct EnvVarSource: Sendable, Hashable, Codable {
    public var configMapKeyRef: ConfigMapKeySelector?
    public var fieldRef: ObjectFieldSelector?
    public var resourceFieldRef: ResourceFieldSelector?
    public var secretKeyRef: SecretKeySelector?
    public var fileKeyRef: FileKeySelector?

    /// What is left out is unset, as in a manifest.
    public init(
        configMapKeyRef: ConfigMapKeySelector? = nil,
        fieldRef: ObjectFieldSelector? = nil,
        resourceFieldRef: ResourceFieldSelector? = nil,
        secretKeyRef: SecretKeySelector? = nil,
        fileKeyRef: FileKeySelector? = nil
    ) {
        self.configMapKeyRef = configMapKeyRef
        self.fieldRef = fieldRef
        self.resourceFieldRef = resourceFieldRef
        self.secretKeyRef = secretKeyRef
        self.fileKeyRef = fileKeyRef
    }
}

/// A field of the pod itself.
public struct ObjectFieldSelector: Sendable, Hashable, Codable {
    public var fieldPath: String
    public var apiVersion: String

    /// What is left out is unset, as in a manifest.
    public init(
        fieldPath: String = "",
        apiVersion: String = ""
    ) {
        self.fieldPath = fieldPath
        self.apiVersion = apiVersion
    }
}

/// A resource limit or request of a container.
public struct ResourceFieldSelector: Sendable, Hashable, Codable {
    public var resource: String
    public var containerName: String
    public var divisor: Quantity?

    /// What is left out is unset, as in a manifest.
    public init(
        resource: String = "",
        containerName: String = "",
        divisor: Quantity? = nil
    ) {
        self.resource = resource
        self.containerName = containerName
        self.divisor = divisor
    }
}

/// One key of a ConfigMap.
public struct ConfigMapKeySelector: Sendable, Hashable, Codable {
    public var name: String
    public var key: String
    public var optional: Bool?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        key: String = "",
        optional: Bool? = nil
    ) {
        self.name = name
        self.key = key
        self.optional = optional
    }
}

/// One key of a Secret.
public struct SecretKeySelector: Sendable, Hashable, Codable {
    public var name: String
    public var key: String
    public var optional: Bool?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        key: String = "",
        optional: Bool? = nil
    ) {
        self.name = name
        self.key = key
        self.optional = optional
    }
}

/// A whole ConfigMap or Secret as variables.
public struct EnvFromSource: Sendable, Hashable, Codable {
    public var configMapRef: ConfigMapEnvSource?
    public var prefix: String
    public var secretRef: SecretEnvSource?

    /// What is left out is unset, as in a manifest.
    public init(
        configMapRef: ConfigMapEnvSource? = nil,
        prefix: String = "",
        secretRef: SecretEnvSource? = nil
    ) {
        self.configMapRef = configMapRef
        self.prefix = prefix
        self.secretRef = secretRef
    }
}

/// The ConfigMap of an `envFrom`.
public struct ConfigMapEnvSource: Sendable, Hashable, Codable {
    public var name: String
    public var optional: Bool?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        optional: Bool? = nil
    ) {
        self.name = name
        self.optional = optional
    }
}

/// The Secret of an `envFrom`.
public struct SecretEnvSource: Sendable, Hashable, Codable {
    public var name: String
    public var optional: Bool?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        optional: Bool? = nil
    ) {
        self.name = name
        self.optional = optional
    }
}

/// One variable of a file in an `emptyDir` volume.
public struct FileKeySelector: Sendable, Hashable, Codable {
    public var key: String
    public var path: String
    public var volumeName: String
    public var optional: Bool?

    /// What is left out is unset, as in a manifest.
    public init(key: String = "", path: String = "", volumeName: String = "", optional: Bool? = nil) {
        self.key = key
        self.path = path
        self.volumeName = volumeName
        self.optional = optional
    }
}
