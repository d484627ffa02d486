/// The part of an image's configuration that a container engine acts on (OCI image-spec 1.1, config.md).
public struct ImageConfig: Sendable, Hashable, Codable {
    /// `user`, `uid`, `user:group`, `uid:gid` and so on, as written; empty when the image doesn't say.
    public var user: String
    public var entrypoint: [String]
    public var cmd: [String]
    /// `NAME=value`, in the image's order.
    public var env: [String]
    public var workingDir: String
    /// A signal's name or number as written (`SIGQUIT`, `3`); empty when the image doesn't say.
    public var stopSignal: String
    /// Paths that the image declares as volumes, sorted.
    public var volumes: [String]
    /// `8080/tcp`, sorted.
    public var exposedPorts: [String]
    public var labels: [String: String]
    /// Go's name of the architecture: `amd64`, `arm64`.
    public var architecture: String
    public var os: String
    /// RFC 3339, as written; nil when the image doesn't say.
    public var created: String?

    public init(
        user: String = "", entrypoint: [String] = [], cmd: [String] = [], env: [String] = [], workingDir: String = "",
        stopSignal: String = "", volumes: [String] = [], exposedPorts: [String] = [], labels: [String: String] = [:],
        architecture: String = "", os: String = "", created: String? = nil
    ) {
        self.user = user
        self.entrypoint = entrypoint
        self.cmd = cmd
        self.env = env
        self.workingDir = workingDir
        self.stopSignal = stopSignal
        self.volumes = volumes
        self.exposedPorts = exposedPorts
        self.labels = labels
        self.architecture = architecture
        self.os = os
        self.created = created
    }
}
