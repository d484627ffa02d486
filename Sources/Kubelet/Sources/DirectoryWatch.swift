import CLinux
import Dispatch
import Linux
import Logging

/// Tells what happens in one directory, also when the directory itself comes and goes. No polling, no thread kept.
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
    private let state: Watcher

    /// - Parameter path: the directory; it need not be there yet
    init(_ path: String, logger: Logger) throws(SystemError) {
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self)
        changes = stream
        state = Watcher(path: path, inotify: try Inotify(), logger: logger, changes: continuation)
        state.start()
    }

    /// Ends ``changes``.
    func stop() { state.stop() }

    deinit { state.stop() }
}

/// Everything here runs on one serial queue.
private final class Watcher: @unchecked Sendable {
    private let path: String
    private let inotify: Inotify
    private let logger: Logger
    private let changes: AsyncStream<DirectoryWatch.Change>.Continuation
    private let queue = DispatchQueue(label: "kubesim.manifests")
    private let source: any DispatchSourceRead
    private var watch: Int32?
    private var ancestor: Int32?
    private var hasToldMissing = false

    init(
        path: String, inotify: consuming Inotify, logger: Logger,
        changes: AsyncStream<DirectoryWatch.Change>.Continuation
    ) {
        self.path = path
        self.inotify = inotify
        self.logger = logger
        self.changes = changes
        source = DispatchSource.makeReadSource(fileDescriptor: self.inotify.descriptor.raw, queue: queue)
    }

    func start() {
        source.setEventHandler { [weak self] in self?.read() }
        // The descriptor must outlive the source: the handler keeps us until it has gone.
        source.setCancelHandler { self.changes.finish() }
        source.activate()
        queue.async { self.arm() }
    }

    func stop() { source.cancel() }

    /// Watches the directory, or the nearest one above it that is there.
    private func arm() {
        // It may come while we turn to the one above; then that one's watch is already too late to tell. Bounded, in
        // case somebody makes and removes it all the time: those events will be told.
        for _ in 0..<8 {
            if watchDirectory() { break }
            watchAncestor()
            if !File.exists(path) { break }
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

    private func watchAncestor() {
        var above = Substring(path)
        while let slash = above.lastIndex(of: "/") {
            above = above[..<slash]
            // One that isn't there either is passed over on the way up; the top always is.
            guard
                let number = try? inotify.watch(
                    above.isEmpty ? "/" : String(above), [.create, .movedTo, .deleteSelf, .moveSelf, .onlyDirectory])
            else { continue }
            // A watch that has just ended by itself needs no removal.
            if let ancestor, ancestor != number { try? inotify.unwatch(ancestor) }
            ancestor = number
            return
        }
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
            // A new file is empty and will be closed; a link is complete at once.
            // One that is gone again tells so itself.
            guard let status = try? FileStatus("\(path)/\(event.name)", followLinks: false) else { return }
            if status.isSymlink || status.raw.links > 1 { changes.yield(.touched(event.name)) }
        } else {
            changes.yield(.touched(event.name))
        }
    }
}
