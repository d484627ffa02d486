/// One line for the pod's `/etc/hosts`.
public struct HostAlias: Sendable, Hashable, Codable {
    public var ip: String
    public var hostnames: [String]

    /// What is left out is unset, as in a manifest.
    public init(
        ip: String = "",
        hostnames: [String] = []
    ) {
        self.ip = ip
        self.hostnames = hostnames
    }
}

/// Additions to the pod's `/etc/resolv.conf`.
public struct PodDNSConfig: Sendable, Hashable, Codable {
    public var nameservers: [String]
    public var options: [PodDNSConfigOption]
    public var searches: [String]

    /// What is left out is unset, as in a manifest.
    public init(
        nameservers: [String] = [],
        options: [PodDNSConfigOption] = [],
        searches: [String] = []
    ) {
        self.nameservers = nameservers
        self.options = options
        self.searches = searches
    }
}

/// One `options` word of `resolv.conf`.
public struct PodDNSConfigOption: Sendable, Hashable, Codable {
    public var name: String
    public var value: String?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        value: String? = nil
    ) {
        self.name = name
        self.value = value
    }
}

/// An object of the same namespace, by name.
public struct LocalObjectReference: Sendable, Hashable, Codable {
    public var name: String

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = ""
    ) {
        self.name = name
    }
}

/// A condition that must be true before the pod counts as ready.
public struct PodReadinessGate: Sendable, Hashable, Codable {
    public var conditionType: String

    /// What is left out is unset, as in a manifest.
    public init(
        conditionType: String = ""
    ) {
        self.conditionType = conditionType
    }
}

/// A taint that the pod puts up with.
public struct Toleration: Sendable, Hashable, Codable {
    public var effect: String
    public var key: String
    public var `operator`: String
    public var tolerationSeconds: Int64?
    public var value: String

    /// What is left out is unset, as in a manifest.
    public init(
        effect: String = "",
        key: String = "",
        `operator`: String = "",
        tolerationSeconds: Int64? = nil,
        value: String = ""
    ) {
        self.effect = effect
        self.key = key
        self.`operator` = `operator`
        self.tolerationSeconds = tolerationSeconds
        self.value = value
    }
}

/// The operating system that the pod is for.
public struct PodOS: Sendable, Hashable, Codable {
    public var name: String

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = ""
    ) {
        self.name = name
    }
}
