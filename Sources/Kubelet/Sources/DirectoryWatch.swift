import Glibc
import Linux
import Logging

/// Tells what happens in one directory, also when the directory itself comes and goes. No polling: one small thread sleeps
/// in epoll_wait(2) until there is something to tell. (Dispatch's read sources are no match for it: on Linux they crash
/// when they are made and cancelled often.)
final class DirectoryWatch: Sendable {
    enum Change: Sendable, Hashable {
        /// A file was written and closed, or moved in.
        case touched(String)
        /// A file was removed or moved away.
        case vanished(String)
        /// Anything may be different: look at all of it.
        case everything
    }

    let changes: AsyncStream<Change>
    private let ending: Ending

    /// Wakes the thread so that it ends; shared by both sides, so that its descriptor outlives them.
    final class Ending: Sendable {
        let event: EventDescriptor

        init() throws(SystemError) { event = try EventDescriptor() }
    }

    /// - Parameter path: the directory; it need not be there yet
    init(_ path: String, logger: Logger) throws(SystemError) {
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self)
        changes = stream
        ending = try Ending()
        try DirectoryWatcher(path: path, logger: logger, changes: continuation, ending: ending).start()
    }

    /// Ends ``changes``.
    func stop() { ending.event.wake() }

    deinit { ending.event.wake() }
}
