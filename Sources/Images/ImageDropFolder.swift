import Logging

/// Watches a directory and imports, pinned, each tarball that is dropped in.
public struct ImageDropFolder: Sendable {
    /// What became of a file in the directory.
    public enum Event: Sendable {
        case progress(file: String, ImageProgress)
        case loaded(file: String, [ImageRecord])
        case refused(file: String, ImageError)
        /// All files that were there at the start have been dealt with.
        case ready
    }

    public let directory: String
    private let store: ImageStore
    private let logger: Logger
    private let observe: @Sendable (Event) -> Void

    public init(
        directory: String, store: ImageStore, logger: Logger, observe: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.directory = directory
        self.store = store
        self.logger = logger
        self.observe = observe
    }

    /// Imports what is there, then what comes, until the task is cancelled.
    public func run() async throws {}
}
