import Linux
import Logging

/// The manifest directory as a list of files, told anew whenever one of them changes.
///
/// As upstream's file source, every plain file is read whatever its name ends in, names with a leading dot are passed
/// over, and a file that can't be taken holds up no other; its own pods stop, as if it were not there. Editors' copies
/// (`x~`, `#x#`) are passed over too, and a file that is moved away and comes back within a moment never was away.
actor ManifestSource {
    /// How long a vanished file may take to come back: an editor's rename.
    static let settling = Duration.milliseconds(200)

    private let directory: String
    private let clock: any NodeClock
    private let logger: Logger
    /// A number that grows, so that of two tellings the newer one counts, and all files.
    private let told: @Sendable (Int, [ManifestFile]) async -> Void
    private var files: [String: ManifestFile] = [:]
    private var vanishing: [String: Task<Void, Never>] = [:]
    private var version = 0

    init(
        directory: String, clock: any NodeClock, logger: Logger,
        told: @escaping @Sendable (Int, [ManifestFile]) async -> Void
    ) {
        self.directory = directory
        self.clock = clock
        self.logger = logger
        self.told = told
    }

    /// Reads and watches until cancelled. A host without inotify instances left is the only error.
    func run() async throws {
        let watch = try DirectoryWatch(directory, logger: logger)
        await withTaskCancellationHandler {
            for await change in watch.changes {
                switch change {
                case .touched(let name): await touched(name)
                case .vanished(let name): vanished(name)
                case .everything: await lookAtAll()
                }
            }
        } onCancel: {
            watch.stop()
        }
        vanishing.values.forEach { $0.cancel() }
    }

    private func touched(_ name: String) async {
        guard !ManifestFile.isIgnored(name) else { return }
        vanishing.removeValue(forKey: name)?.cancel()
        guard let file = ManifestFile.read("\(directory)/\(name)") else { return vanished(name) }
        guard files[name] != file else { return }
        files[name] = file
        await tell()
    }

    private func vanished(_ name: String) {
        guard files[name] != nil, vanishing[name] == nil else { return }
        vanishing[name] = Task { [clock] in
            do { try await clock.sleep(for: Self.settling) } catch { return }  // it has come back
            await self.settled(name)
        }
    }

    private func settled(_ name: String) async {
        guard vanishing.removeValue(forKey: name) != nil else { return }
        files[name] = ManifestFile.read("\(directory)/\(name)")
        await tell()
    }

    private func lookAtAll() async {
        var names: [String] = []
        do {
            names = try Directory.names(directory).filter { !ManifestFile.isIgnored($0) }
        } catch {
            if error.errno != .noEntry {
                logger.error("The manifest directory can't be read", metadata: ["error": "\(error)"])
            }
        }
        let before = files
        for name in names {
            guard let file = ManifestFile.read("\(directory)/\(name)") else { continue }
            vanishing.removeValue(forKey: name)?.cancel()
            files[name] = file
        }
        for name in files.keys where !names.contains(name) { vanished(name) }
        if files != before || version == 0 { await tell() }
    }

    private func tell() async {
        version += 1
        await told(version, files.values.sorted { $0.path < $1.path })
    }
}
