import CRI
import Images
import Logging
import PodNetwork

/// The engine behind the CRI: sandboxes and containers over images, pod network, shims and an OCI runtime.
///
/// Every call is idempotent and can be cancelled; a call on one pod never waits for another pod. What the engine knows
/// is rebuilt from its records and from the shims, which outlive it: call ``recover()`` once after `init`.
public actor Engine {
    public nonisolated let configuration: EngineConfiguration
    let images: ImageStore
    let network: PodNetwork
    let logger: Logger
    let events = EventHub()

    /// Makes the engine's directories and the pause root filesystem.
    ///
    /// - Throws: `CRIError` naming the path that can't be made.
    public init(
        configuration: EngineConfiguration, images: ImageStore, network: PodNetwork, logger: Logger
    ) async throws {
        self.configuration = configuration
        self.images = images
        self.network = network
        self.logger = logger
    }

    /// Looks at what an earlier engine left, adopts what lives, notes what ended meanwhile, and clears up what was
    /// half made. To be called once, before anything else.
    public func recover() async {}

    /// Lets go of the shims and ends the event streams; the pods run on.
    public func shutdown() async { events.close() }

    /// Stops and removes every sandbox, and everything that the engine made below its directories.
    public func tearDown() async {}
}
