// Kubernetes' enumerations are open: a value that a later version adds must survive reading, and a wrong one must
// reach validation, which names it with its place. So each is a string with names for the known values.

/// When the kubelet starts a pod's ended containers again.
public struct RestartPolicy: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let always = Self(rawValue: "Always")
    public static let onFailure = Self(rawValue: "OnFailure")
    public static let never = Self(rawValue: "Never")
}

/// A single container's restart policy; `Always` makes an init container a sidecar.
public struct ContainerRestartPolicy: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let always = Self(rawValue: "Always")
    public static let onFailure = Self(rawValue: "OnFailure")
    public static let never = Self(rawValue: "Never")
}

/// Where the pod's `resolv.conf` comes from.
public struct DNSPolicy: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let clusterFirst = Self(rawValue: "ClusterFirst")
    public static let clusterFirstWithHostNet = Self(rawValue: "ClusterFirstWithHostNet")
    public static let `default` = Self(rawValue: "Default")
    public static let none = Self(rawValue: "None")
}

/// When an image is fetched.
public struct PullPolicy: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let always = Self(rawValue: "Always")
    public static let ifNotPresent = Self(rawValue: "IfNotPresent")
    public static let never = Self(rawValue: "Never")
}

/// The protocol of a port.
public struct NetworkProtocol: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let tcp = Self(rawValue: "TCP")
    public static let udp = Self(rawValue: "UDP")
    public static let sctp = Self(rawValue: "SCTP")
}

/// The scheme of a probe's request.
public struct URIScheme: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let http = Self(rawValue: "HTTP")
    public static let https = Self(rawValue: "HTTPS")
}

/// Where a termination message is read from.
public struct TerminationMessagePolicy: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let file = Self(rawValue: "File")
    public static let fallbackToLogsOnError = Self(rawValue: "FallbackToLogsOnError")
}

/// Which system call filter applies.
public struct SeccompProfileType: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let unconfined = Self(rawValue: "Unconfined")
    public static let runtimeDefault = Self(rawValue: "RuntimeDefault")
    public static let localhost = Self(rawValue: "Localhost")
}

/// Which AppArmor profile applies.
public struct AppArmorProfileType: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let unconfined = Self(rawValue: "Unconfined")
    public static let runtimeDefault = Self(rawValue: "RuntimeDefault")
    public static let localhost = Self(rawValue: "Localhost")
}

/// What must be, or is made, at a host path; unset asks for nothing.
public struct HostPathType: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let directoryOrCreate = Self(rawValue: "DirectoryOrCreate")
    public static let directory = Self(rawValue: "Directory")
    public static let fileOrCreate = Self(rawValue: "FileOrCreate")
    public static let file = Self(rawValue: "File")
    public static let socket = Self(rawValue: "Socket")
    public static let charDevice = Self(rawValue: "CharDevice")
    public static let blockDevice = Self(rawValue: "BlockDevice")
}

/// What an empty directory is made of; unset is the node's disk.
public struct StorageMedium: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let memory = Self(rawValue: "Memory")
    public static let hugePages = Self(rawValue: "HugePages")
}

/// Whether mounts made later cross between host and container.
public struct MountPropagationMode: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let none = Self(rawValue: "None")
    public static let hostToContainer = Self(rawValue: "HostToContainer")
    public static let bidirectional = Self(rawValue: "Bidirectional")
}

/// How much of `/proc` is masked.
public struct ProcMountType: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let `default` = Self(rawValue: "Default")
    public static let unmasked = Self(rawValue: "Unmasked")
}

/// Where a pod is in its life.
public struct PodPhase: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let pending = Self(rawValue: "Pending")
    public static let running = Self(rawValue: "Running")
    public static let succeeded = Self(rawValue: "Succeeded")
    public static let failed = Self(rawValue: "Failed")
    public static let unknown = Self(rawValue: "Unknown")
}

/// Quality of service, which follows from requests and limits.
public struct QOSClass: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let guaranteed = Self(rawValue: "Guaranteed")
    public static let burstable = Self(rawValue: "Burstable")
    public static let bestEffort = Self(rawValue: "BestEffort")
}

/// Whether a condition holds.
public struct ConditionStatus: RawRepresentable, Sendable, Hashable, Codable {
    public let rawValue: String

    /// Takes any text; validation judges it.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing was said.
    public static let unset = Self(rawValue: "")
    public static let `true` = Self(rawValue: "True")
    public static let `false` = Self(rawValue: "False")
    public static let unknown = Self(rawValue: "Unknown")
}
