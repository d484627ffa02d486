/// What the kubelet knows about a pod and the runtime does not: waits, failures, probes, and which hands are busy.
struct PodMemory: Sendable, Hashable {
    /// The hash of each container's definition as it is wished, by name; none: not compared.
    var definitions: [String: String] = [:]
    /// Restart back-off, by container name.
    var restarts: [String: Backoff] = [:]
    /// Why a container could not be started, by container name.
    var troubles: [String: Trouble] = [:]
    /// Why the sandbox could not be made.
    var sandboxTrouble: Trouble?
    /// Back-off of sandboxes that replace others: one that dies as soon as it stands is not made again and again.
    var sandboxRestarts: Backoff?
    /// What the probes found, by container id.
    var probes: [String: ProbeVerdicts] = [:]
    /// Sandboxes on which StopPodSandbox has succeeded since this kubelet started.
    var stopped: Set<String> = []
    /// Every container has ended and none was to be started again: so it stays, also when its remains are removed.
    var isOver = false
    /// Work under way.
    var busy: Set<Hand> = []
}

/// One thing that can be under way at a time.
enum Hand: Sendable, Hashable {
    case sandbox
    case container(String)
    case tidy
}

/// A failure that is waited out.
struct Trouble: Sendable, Hashable {
    /// As in a container's waiting state: ErrImagePull, CreateContainerError, …
    var reason: String
    var message: String
    /// When to try again.
    var retryAt: WallTime
    /// What is said while waiting, once the first report is out: ImagePullBackOff.
    var waitingReason: String
    /// An arriving image may mend it.
    var isAboutImage = false
    /// The container that was made and can't be used.
    var container: String?
    var backoff: Backoff
}

/// What a container's probes have come to. Nil: no such probe, or no answer yet.
struct ProbeVerdicts: Sendable, Hashable {
    var startup: Bool?
    var liveness: Bool?
    var readiness: Bool?
    /// The last failure's words, by probe.
    var startupMessage = ""
    var livenessMessage = ""
    var readinessMessage = ""
}
