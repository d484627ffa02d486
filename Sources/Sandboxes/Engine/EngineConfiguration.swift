import ShimProtocol

/// Where an engine keeps things and which programs it drives.
///
/// Several engines can share a host when their `root`, `state` and `cgroupRoot` differ.
public struct EngineConfiguration: Sendable {
    /// Lasting data: the records in `<root>/state.db`, images' volumes in `<root>/containers/<id>/volumes`.
    public var root: String
    /// What a reboot may take away: `<state>/sandboxes/<id>/` (shim, pod files), `<state>/containers/<id>/` (bundles).
    public var state: String
    /// The default OCI runtime, runc-compatible.
    public var runtimePath: String
    /// OCI runtimes by CRI runtime handler name; the empty name and `kubesim-oci` are `runtimePath` unless they stand here.
    public var runtimeHandlers: [String: RuntimeHandler]
    /// Who writes the cgroups; the kubelet has to be of the same opinion, and is told by `RuntimeConfig`.
    public var cgroupDriver: CgroupDriver
    /// Localhost seccomp profiles lie below it; nil lets a config name any file of the host, as the kubelet does.
    public var seccompProfileRoot: String?
    /// Where CDI specifications are looked for, the later directories first.
    public var cdiDirectories: [String]
    /// Where checkpoints lie that a new container may be restored from.
    public var checkpointDirectory: String
    /// The `kubesim-shim` binary.
    public var shimPath: String
    /// The static `pause` binary.
    public var pausePath: String
    /// The prefix of every cgroup path that a config asks for; empty for none. Keeps a second node's pods apart.
    public var cgroupRoot: String
    /// Where the network namespaces of pods are bound, so that `ip netns exec` finds them.
    public var netnsDirectory: String
    /// The image name reported for the sandbox container; nothing is pulled by it.
    public var sandboxImage: String
    /// The version reported by `Version`.
    public var version: String
    /// Hands out URLs for exec, attach and port-forward; without it these three calls are unimplemented by name.
    public var streaming: (any StreamingURLs)?
    /// Bytes of standard output and of standard error that `ExecSync` keeps; more is dropped and said so.
    public var execOutputLimitBytes: Int
    /// How much of a container's output its log keeps; nil keeps all.
    public var logLimit: LogLimit?
    /// How long any single step (of the OCI runtime, or with files and mounts of the host) may take before it counts as hung
    /// and is ended. A CNI plugin's is `NetworkConfiguration.pluginDeadline`.
    public var stepDeadline: Duration
    /// How long a shim may take to start, and to answer what needs no runtime, before it counts as hung and is ended.
    public var shimDeadline: Duration
    /// Called after each step, for tests that make something go wrong there; nil in a node's life.
    public var afterStep: (@Sendable (EngineStep) async throws -> Void)?

    public init(
        root: String, state: String, runtimePath: String, shimPath: String, pausePath: String,
        runtimeHandlers: [String: RuntimeHandler] = [:], cgroupDriver: CgroupDriver = .cgroupfs,
        cgroupRoot: String = "", netnsDirectory: String = "/run/netns",
        sandboxImage: String = "localhost/kubesim/pause:builtin", version: String = "0.1.0",
        streaming: (any StreamingURLs)? = nil
    ) {
        self.root = root
        self.state = state
        self.runtimePath = runtimePath
        self.shimPath = shimPath
        self.pausePath = pausePath
        self.runtimeHandlers = runtimeHandlers
        self.cgroupDriver = cgroupDriver
        cdiDirectories = ["/etc/cdi", "/var/run/cdi"]
        checkpointDirectory = root + "/checkpoints"
        self.cgroupRoot = cgroupRoot
        self.netnsDirectory = netnsDirectory
        self.sandboxImage = sandboxImage
        self.version = version
        self.streaming = streaming
        // Both outputs and their frame fit into the 16 MiB that kubelet and crictl take at most.
        execOutputLimitBytes = (8 << 20) - (64 << 10)
        logLimit = LogLimit(fileBytes: 10 << 20, files: 5)
        stepDeadline = .seconds(60)
        shimDeadline = .seconds(10)
    }
}
