import CRI
import Dispatch
import Glibc
import Linux

/// Wakes whenever something may have been added to a log, or its container has ended: by the kernel's notices of the
/// directory and by the runtime's events, not by the clock.
struct LogFollower {
    enum Wake: Sendable { case changed, ended }

    /// Runtimes that have no events are asked this often instead.
    private static let askAgain = Duration.seconds(1)

    /// Calls `body` for every wake, beginning with one; stops when it returns false.
    static func follow(
        _ directory: String, container: String, _ services: Services, _ body: (Wake) async throws -> Bool
    ) async throws {
        let (wakes, wake) = AsyncStream.makeStream(of: Wake.self, bufferingPolicy: .bufferingNewest(4))
        let ended = EndedFlag()
        let notices = try DirectoryNotices(directory) { wake.yield(.changed) }
        let watcher = Task {
            await waitForEnd(of: container, services)
            ended.set()
            wake.yield(.ended)
        }
        defer {
            watcher.cancel()
            notices.cancel()
        }
        wake.yield(.changed)
        for await _ in wakes {
            // Asked before reading: what was written before the end is read after it.
            let isOver = ended.isSet
            guard try await body(isOver ? .ended : .changed), !isOver else { return }
        }
    }

    private static func waitForEnd(of container: String, _ services: Services) async {
        do {
            let events = try await services.runtime.getContainerEvents(CRIGetEventsRequest())
            // Only after the subscription, so that an end in between is not missed.
            guard await isRunning(container, services) else { return }
            for try await event in events where event.containerID == container {
                if event.containerEventType == .containerStoppedEvent
                    || event.containerEventType == .containerDeletedEvent
                {
                    return
                }
            }
        } catch {
            // A runtime without events, as containerd is by default.
        }
        while await isRunning(container, services) {
            do { try await Task.sleep(for: askAgain) } catch { return }
        }
    }

    private static func isRunning(_ container: String, _ services: Services) async -> Bool {
        var request = CRIContainerStatusRequest()
        request.containerID = container
        do {
            return try await services.runtime.containerStatus(request).status.state == .containerRunning
        } catch {
            // A runtime that is being restarted hasn't stopped its containers.
            return error.code == .unavailable && !Task.isCancelled
        }
    }
}

/// Set once.
private final class EndedFlag: Sendable {
    private let lock = DispatchSemaphore(value: 0)

    func set() { lock.signal() }

    var isSet: Bool {
        guard lock.wait(timeout: .now()) == .success else { return false }
        lock.signal()
        return true
    }
}

/// The kernel's notices about the files of a directory.
private final class DirectoryNotices: Sendable {
    // Dispatch's sources may be used from any thread; only their protocols don't say so.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    init(_ directory: String, _ notify: @escaping @Sendable () -> Void) throws {
        let notices = NoticesBox(try Inotify())
        try notices.inotify.watch(directory, [.modify, .create, .movedTo, .closeWrite])
        let source = DispatchSource.makeReadSource(fileDescriptor: notices.inotify.descriptor.raw, queue: .global())
        source.setEventHandler {
            // What they say doesn't matter, only that there are some.
            _ = try? notices.inotify.events()
            notify()
        }
        // Keeps the descriptor open until nobody polls it.
        source.setCancelHandler { withExtendedLifetime(notices) {} }
        source.activate()
        self.source = source
    }

    func cancel() { source.cancel() }
}

private final class NoticesBox: Sendable {
    let inotify: Inotify

    init(_ inotify: consuming Inotify) { self.inotify = inotify }
}
