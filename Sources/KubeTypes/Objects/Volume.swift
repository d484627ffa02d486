/// A directory that containers of the pod can mount; exactly one source is set.
public struct Volume: Sendable, Hashable, Codable {
    public var name: String
    public var configMap: ConfigMapVolumeSource?
    public var downwardAPI: DownwardAPIVolumeSource?
    public var emptyDir: EmptyDirVolumeSource?
    public var hostPath: HostPathVolumeSource?
    public var secret: SecretVolumeSource?
    /// Sources that a manifest named and that have no type here yet, such as `nfs`; they are read, never written.
    public var otherSources: [String]

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        configMap: ConfigMapVolumeSource? = nil,
        downwardAPI: DownwardAPIVolumeSource? = nil,
        emptyDir: EmptyDirVolumeSource? = nil,
        hostPath: HostPathVolumeSource? = nil,
        secret: SecretVolumeSource? = nil,
        otherSources: [String] = []
    ) {
        self.name = name
        self.configMap = configMap
        self.downwardAPI = downwardAPI
        self.emptyDir = emptyDir
        self.hostPath = hostPath
        self.secret = secret
        self.otherSources = otherSources
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, configMap, downwardAPI, emptyDir, hostPath, secret
    }

    /// Reads a volume, and notes the sources that it doesn't know.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decode(String.self, forKey: .name)
        configMap = try fields.decodeIfPresent(ConfigMapVolumeSource.self, forKey: .configMap)
        downwardAPI = try fields.decodeIfPresent(DownwardAPIVolumeSource.self, forKey: .downwardAPI)
        emptyDir = try fields.decodeIfPresent(EmptyDirVolumeSource.self, forKey: .emptyDir)
        hostPath = try fields.decodeIfPresent(HostPathVolumeSource.self, forKey: .hostPath)
        secret = try fields.decodeIfPresent(SecretVolumeSource.self, forKey: .secret)
        let all = try decoder.container(keyedBy: FieldKey.self)
        otherSources = all.allKeys.filter { CodingKeys(stringValue: $0.stringValue) == nil && all.contains($0) }
            .map(\.stringValue)
    }

    /// How many sources are set; one is right.
    var sourceCount: Int {
        let known = [configMap != nil, downwardAPI != nil, emptyDir != nil, hostPath != nil, secret != nil]
        return known.count { $0 } + otherSources.count
    }
}

/// A directory that lives as long as the pod.
public struct EmptyDirVolumeSource: Sendable, Hashable, Codable {
    public var medium: StorageMedium
    public var sizeLimit: Quantity?

    /// What is left out is unset, as in a manifest.
    public init(
        medium: StorageMedium = .unset,
        sizeLimit: Quantity? = nil
    ) {
        self.medium = medium
        self.sizeLimit = sizeLimit
    }
}

/// A path of the host.
public struct HostPathVolumeSource: Sendable, Hashable, Codable {
    public var type: HostPathType?
    public var path: String

    /// What is left out is unset, as in a manifest.
    public init(
        type: HostPathType? = nil,
        path: String = ""
    ) {
        self.type = type
        self.path = path
    }
}

/// A ConfigMap's keys as files.
public struct ConfigMapVolumeSource: Sendable, Hashable, Codable {
    public var name: String
    public var defaultMode: Int?
    public var items: [KeyToPath]
    public var optional: Bool?

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        defaultMode: Int? = nil,
        items: [KeyToPath] = [],
        optional: Bool? = nil
    ) {
        self.name = name
        self.defaultMode = defaultMode
        self.items = items
        self.optional = optional
    }
}

/// A Secret's keys as files.
public struct SecretVolumeSource: Sendable, Hashable, Codable {
    public var defaultMode: Int?
    public var items: [KeyToPath]
    public var optional: Bool?
    public var secretName: String

    /// What is left out is unset, as in a manifest.
    public init(
        defaultMode: Int? = nil,
        items: [KeyToPath] = [],
        optional: Bool? = nil,
        secretName: String = ""
    ) {
        self.defaultMode = defaultMode
        self.items = items
        self.optional = optional
        self.secretName = secretName
    }
}

/// Which key becomes which file.
public struct KeyToPath: Sendable, Hashable, Codable {
    public var key: String
    public var path: String
    public var mode: Int?

    /// What is left out is unset, as in a manifest.
    public init(
        key: String = "",
        path: String = "",
        mode: Int? = nil
    ) {
        self.key = key
        self.path = path
        self.mode = mode
    }
}

/// Fields of the pod as files.
public struct DownwardAPIVolumeSource: Sendable, Hashable, Codable {
    public var defaultMode: Int?
    public var items: [DownwardAPIVolumeFile]

    /// What is left out is unset, as in a manifest.
    public init(
        defaultMode: Int? = nil,
        items: [DownwardAPIVolumeFile] = []
    ) {
        self.defaultMode = defaultMode
        self.items = items
    }
}

/// One file with a field of the pod.
public struct DownwardAPIVolumeFile: Sendable, Hashable, Codable {
    public var path: String?
    public var fieldRef: ObjectFieldSelector?
    public var mode: Int?
    public var resourceFieldRef: ResourceFieldSelector?

    /// What is left out is unset, as in a manifest.
    public init(
        path: String? = nil,
        fieldRef: ObjectFieldSelector? = nil,
        mode: Int? = nil,
        resourceFieldRef: ResourceFieldSelector? = nil
    ) {
        self.path = path
        self.fieldRef = fieldRef
        self.mode = mode
        self.resourceFieldRef = resourceFieldRef
    }
}
