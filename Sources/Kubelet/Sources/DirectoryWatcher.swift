import CLinux
import Glibc
import Linux
import Logging

/// The watching side of a ``DirectoryWatch``. Once started, all of it belongs to its one thread.
final class DirectoryWatcher {
    private let path: String
    private let inotify: Inotify
    private let epoll: Epoll
    private let logger: Logger
    private let changes: AsyncStream<DirectoryWatch.Change>.Continuation
    private let ending: DirectoryWatch.Ending
    private var watch: Int32?
    private var ancestor: Int32?
    private var hasToldMissing = false

    init(
        path: String, logger: Logger, changes: AsyncStream<DirectoryWatch.Change>.Continuation,
        ending: DirectoryWatch.Ending
    ) throws(SystemError) {
        self.path = path
        self.logger = logger
        self.changes = changes
        self.ending = ending
        inotify = try Inotify()
        epoll = try Epoll()
        try epoll.add(inotify.descriptor.raw, .readable, token: 0)
        try epoll.add(ending.event.descriptor.raw, .readable, token: 1)
    }

    /// Gives this watcher to a thread of its own.
    func start() throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 256 << 10)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<DirectoryWatcher>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard failure == 0 else {
            box.release()
            throw SystemError("pthread_create", errno: Errno(rawValue: failure))
        }
    }

    private func run() {
        arm()
        while true {
            do {
                let events = try epoll.wait()
                if events.contains(where: { $0.token == 1 }) { break }
                if !events.isEmpty { read() }
            } catch {
                // A signal is no error; anything else would come back at once, for ever.
                if error.errno == .interrupted { continue }
                logger.error("The manifest directory is watched no longer", metadata: ["error": "\(error)"])
                break
            }
        }
        changes.finish()
    }

    /// Watches the directory, or the nearest one above it that is there.
    private func arm() {
        // What is waited for may come while we turn to the one above; then that one's watch is already too late to tell.
        // Bounded, in case somebody makes and removes it all the time: those events will be told.
        for _ in 0..<16 {
            if watchDirectory() { break }
            guard let awaited = watchAncestor(), File.exists(awaited) else { break }
        }
        changes.yield(.everything)
    }

    private func watchDirectory() -> Bool {
        do {
            watch = try inotify.watch(
                path,
                [
                    .closeWrite, .movedFrom, .movedTo, .create, .delete, .attributes, .deleteSelf, .moveSelf,
                    .onlyDirectory,
                ])
            if let ancestor { try inotify.unwatch(ancestor) }
            ancestor = nil
            hasToldMissing = false
            return true
        } catch {
            watch = nil
            if !hasToldMissing {
                logger.warning(
                    "The manifest directory can't be watched and is waited for", metadata: ["error": "\(error)"])
                hasToldMissing = true
            }
            return false
        }
    }

    /// - Returns: what is missing below it, whose coming will be told: the directory, or one on the way to it
    private func watchAncestor() -> String? {
        var above = Substring(path)
        while let slash = above.lastIndex(of: "/") {
            let awaited = String(above)
            above = above[..<slash]
            // One that isn't there either is passed over on the way up; the top always is.
            guard
                let number = try? inotify.watch(
                    above.isEmpty ? "/" : String(above), [.create, .movedTo, .deleteSelf, .moveSelf, .onlyDirectory])
            else { continue }
            // A watch that has just ended by itself needs no removal.
            if let ancestor, ancestor != number { try? inotify.unwatch(ancestor) }
            ancestor = number
            return awaited
        }
        return nil
    }

    private func read() {
        let events: [Inotify.Event]
        do {
            events = try inotify.events()
        } catch {
            logger.error("The manifest directory's events can't be read", metadata: ["error": "\(error)"])
            changes.yield(.everything)
            return
        }
        for event in events { take(event) }
    }

    private func take(_ event: Inotify.Event) {
        if event.mask.contains(.overflow) {
            changes.yield(.everything)
            return
        }
        if let ancestor, event.watch == ancestor, watch == nil { return arm() }
        guard event.watch == watch else { return }
        if !event.mask.isDisjoint(with: [.deleteSelf, .moveSelf, .unmount, .ignored]) {
            if let watch, !event.mask.contains(.ignored) {
                // A directory that was moved away is watched no longer. It may be gone already.
                try? inotify.unwatch(watch)
            }
            watch = nil
            return arm()
        }
        guard !event.name.isEmpty, !event.mask.contains(.isDirectory) else { return }
        if !event.mask.isDisjoint(with: [.movedFrom, .delete]) {
            changes.yield(.vanished(event.name))
        } else if event.mask == .create {
            // A new file is empty and will be closed; a link is complete at once, and so is what is no file (a FIFO).
            // One that is gone again tells so itself.
            guard let status = try? FileStatus("\(path)/\(event.name)", followLinks: false) else { return }
            if !status.isRegular || status.raw.links > 1 { changes.yield(.touched(event.name)) }
        } else {
            changes.yield(.touched(event.name))
        }
    }
}
