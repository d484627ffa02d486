import Images
import Logging

/// The directory where people drop image tarballs, as the node needs it.
struct ImagesDirectory: Sendable {
    private let folder: ImageDropFolder
    private let firstPass = FirstPass()
    private let events: AsyncStream<ImageDropFolder.Event>
    private let steps: AsyncStream<ImageDropFolder.Event>.Continuation

    init(_ path: String, store: ImageStore, logger: Logger) {
        let (events, steps) = AsyncStream.makeStream(of: ImageDropFolder.Event.self)
        let firstPass = firstPass
        self.events = events
        self.steps = steps
        folder = ImageDropFolder(directory: path, store: store, logger: logger) { event in
            if case .ready = event { firstPass.end() }
            steps.yield(event)
        }
    }

    /// Imports what is there and what comes, and tells of it, until the task is cancelled.
    func run(_ tell: @escaping @Sendable (ImageDropFolder.Event) -> Void) async throws {
        // Whatever ends it, nobody waits for it any longer.
        defer {
            firstPass.end()
            steps.finish()
        }
        async let told: Void = { for await event in events { tell(event) } }()
        try await folder.run()
        steps.finish()
        await told
    }

    /// Returns once every tarball that lies there has been read, one whose image was removed since among them: for
    /// whoever misses an image.
    func settled() async {
        await firstPass.wait()
        await folder.lookAgain()
    }
}
