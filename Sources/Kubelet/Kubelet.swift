import CRI
import Logging
import ServiceLifecycle

/// The node agent: manifests in, pods run through the CRI, and what became of them out.
public actor Kubelet: Service {
    /// Every pod's steps as they happen. One consumer; the newest thousand are kept for a slow one.
    public nonisolated let progress: AsyncStream<PodProgress>

    private let configuration: KubeletConfiguration
    private let runtime: any RuntimeService
    private let images: any ImageService
    private let logger: Logger
    private let clock: any NodeClock
    private let steps: AsyncStream<PodProgress>.Continuation

    public init(
        configuration: KubeletConfiguration,
        runtime: any RuntimeService,
        images: any ImageService,
        logger: Logger,
        clock: any NodeClock = SystemClock()
    ) {
        self.configuration = configuration
        self.runtime = runtime
        self.images = images
        self.logger = logger
        self.clock = clock
        (progress, steps) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1000))
    }

    /// Runs until cancelled or gracefully shut down. Pods go on running: the next start adopts them.
    public func run() async throws {}

    /// Stops every pod gracefully and removes all that was theirs; returns when nothing is left. From then on manifests
    /// are ignored. Works while `run` runs, and after it.
    public func stopAllPods() async {}

    /// Tells that images came or went: pods that wait for one look again at once.
    public nonisolated func noticeImagesChanged() {}

    /// Every pod with its status, by namespace and name.
    public func podStatuses() async -> [PodReport] { [] }

    /// Manifests that were refused, with their reasons, by file.
    public func refusals() async -> [ManifestRefusal] { [] }
}
