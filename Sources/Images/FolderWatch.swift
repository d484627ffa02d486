import Glibc
import Linux

/// Tells of files in a directory that may be complete: closed after writing, moved in, or linked in. One thread that sleeps
/// in epoll_wait(2).
final class FolderWatch: Sendable {
    enum Event: Sendable, Hashable {
        /// A file of that name is new or was changed.
        case file(String)
        /// Events were lost, or the directory is a new one: everything has to be looked at again.
        case everything
    }

    /// Ends when the watch is stopped.
    let events: AsyncStream<Event>
    private let loop: Loop

    /// Makes the directory when it's missing. What happens after the return is told.
    init(_ directory: String) throws(ImportFailure) {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .unbounded)
        self.events = events
        do throws(SystemError) {
            loop = try Loop(directory, continuation)
        } catch {
            throw .failed(step: "watch", path: directory, reason: "\(error.errno)")
        }
        try loop.watch()
        loop.start()
    }

    func stop() { loop.stop.wake() }

    /// What the thread holds.
    private final class Loop: Sendable {
        let stop: EventDescriptor
        private let inotify: Inotify
        private let epoll: Epoll
        private let directory: String
        private let continuation: AsyncStream<Event>.Continuation

        init(_ directory: String, _ continuation: AsyncStream<Event>.Continuation) throws(SystemError) {
            self.directory = directory
            self.continuation = continuation
            stop = try EventDescriptor()
            inotify = try Inotify()
            epoll = try Epoll()
            try epoll.add(inotify.descriptor.raw, .readable, token: 1)
            try epoll.add(stop.descriptor.raw, .readable, token: 2)
        }

        func watch() throws(ImportFailure) {
            try makeDirectories(directory, mode: 0o755)
            do throws(SystemError) {
                try inotify.watch(
                    directory, [.closeWrite, .movedTo, .create, .attributes, .deleteSelf, .moveSelf, .onlyDirectory])
            } catch {
                throw .failed(step: "watch", path: directory, reason: "\(error.errno)")
            }
        }

        func start() {
            var thread = pthread_t()
            let retained = Unmanaged.passRetained(self)
            let failed = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Loop>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                }, retained.toOpaque())
            guard failed == 0 else {
                retained.release()
                return continuation.finish()
            }
            pthread_detach(thread)
        }

        private func run() {
            defer { continuation.finish() }
            while true {
                // The descriptors are this object's own: they can't fail but by a bug, and then nothing more is told.
                guard let ready = try? epoll.wait() else { return }
                if ready.contains(where: { $0.token == 2 }) { return }
                guard let happened = try? inotify.events() else { return }
                for event in happened { tell(event) }
            }
        }

        private func tell(_ event: Inotify.Event) {
            if event.mask.contains(.overflow) {
                continuation.yield(.everything)
            } else if !event.mask.isDisjoint(with: [.deleteSelf, .moveSelf]) {
                // A new directory in the old one's place; when even that can't be made the watch ends.
                do throws(ImportFailure) { try watch() } catch { return continuation.finish() }
                continuation.yield(.everything)
            } else if !event.name.isEmpty && !event.mask.contains(.isDirectory) {
                continuation.yield(.file(event.name))
            }
        }
    }
}
