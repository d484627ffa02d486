/// How registries are found and asked.
public struct RegistryConfiguration: Sendable {
    /// `<host[:port]>/hosts.toml` and `_default/hosts.toml` below it, as containerd has them.
    public var hostsDirectory: String
    /// docker's `config.json` files; the first that knows a registry counts. A missing one is an empty one.
    public var credentialFiles: [String]
    public var proxies: ProxyRules
    /// Layers of one image that are fetched side by side.
    public var parallelLayers: Int
    /// Pulls at work at once; more are refused.
    public var pulls: Int
    /// A request is given up when ``stallBytes`` haven't come within this time.
    public var stallTimeout: Duration
    public var stallBytes: UInt64
    /// How long a connection may take to be made, where `hosts.toml` doesn't say.
    public var dialTimeout: Duration
    /// Attempts of one request at one endpoint that bring nothing; a blob's bytes that came before aren't fetched again.
    public var attempts: Int
    /// The pause after the first attempt; doubled after each further one.
    public var backOff: Duration
    /// The longest pause that a registry may ask for (`Retry-After`).
    public var longestPause: Duration

    public init(
        hostsDirectory: String = "/etc/kubesim/certs.d", credentialFiles: [String] = standardCredentialFiles(),
        proxies: ProxyRules = .ofEnvironment(), parallelLayers: Int = 3, pulls: Int = 64,
        stallTimeout: Duration = .seconds(60), stallBytes: UInt64 = 64 << 10,
        dialTimeout: Duration = .seconds(30), attempts: Int = 5, backOff: Duration = .milliseconds(500),
        longestPause: Duration = .seconds(60)
    ) {
        self.hostsDirectory = hostsDirectory
        self.credentialFiles = credentialFiles
        self.proxies = proxies
        self.parallelLayers = max(1, parallelLayers)
        self.pulls = max(1, pulls)
        self.stallTimeout = stallTimeout
        self.stallBytes = stallBytes
        self.dialTimeout = dialTimeout
        self.attempts = max(1, attempts)
        self.backOff = backOff
        self.longestPause = longestPause
    }

    /// The node's own file, and those of docker's client: `$DOCKER_CONFIG/config.json`, `/root/.docker/config.json`.
    public static func standardCredentialFiles() -> [String] {
        var files = ["/etc/kubesim/config.json"]
        if let directory = environment("DOCKER_CONFIG") { files.append(directory + "/config.json") }
        return files + [(environment("HOME") ?? "/root") + "/.docker/config.json"]
    }

    /// `limit` doublings of the first pause, at most.
    func pause(attempt: Int) -> Duration { min(backOff * (1 << min(attempt, 16)), longestPause) }
}
