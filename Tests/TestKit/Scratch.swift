import FoundationEssentials
import Glibc
import Synchronization

/// A directory of the test's own, and a clean-up that runs last in, first out.
///
/// `Scratch.use` makes it, runs the body, undoes what the body registered and removes the directory, also when the body
/// throws: a test leaves nothing behind.
public final class Scratch: Sendable {
    /// Absolute path of the directory, mode 0700.
    public let path: String
    private let undo = Mutex<[@Sendable () async -> Void]>([])

    private init(path: String) { self.path = path }

    /// Registers a step to run at the end, before everything that was registered earlier.
    public func atEnd(_ step: @escaping @Sendable () async -> Void) {
        undo.withLock { $0.append(step) }
    }

    /// The path of `name` inside the directory.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Makes a directory below the scratch directory, with its parents.
    public func directory(_ name: String, mode: mode_t = 0o755) throws -> String {
        let target = file(name)
        var built = path
        for part in name.split(separator: "/") {
            built += "/" + part
            if mkdir(built, mode) != 0 && errno != EEXIST { throw POSIXFailure("mkdir", built) }
        }
        return target
    }

    /// Writes a file below the scratch directory.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        let target = file(name)
        try Data(text.utf8).write(to: URL(filePath: target))
        return target
    }

    /// Runs `body` with a fresh directory below `parent` (default `$TMPDIR` or /tmp) and leaves nothing of it.
    public static func use<Result>(
        in parent: String? = nil, _ body: (Scratch) async throws -> Result
    ) async throws -> Result {
        let base = parent ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(base)/kubesim-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw POSIXFailure("mkdtemp", base) }
        let scratch = Scratch(path: String(cString: made))
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(scratch)) } catch { outcome = .failure(error) }
        await scratch.cleanUp()
        return try outcome.get()
    }

    private func cleanUp() async {
        while let step = undo.withLock({ $0.popLast() }) { await step() }
        // Whatever is still mounted below would make the removal reach into another filesystem.
        for mount in MountTable.below(path) { umount2(mount, Int32(MNT_DETACH)) }
        // What a test has let go of may still write its last file: then the removal finds a new one and begins again.
        for _ in 0..<100 {
            try? FileManager.default.removeItem(atPath: path)
            guard access(path, F_OK) == 0 else { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// What a failed call leaves in a test's report.
public struct POSIXFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ call: String, _ subject: String) {
        description = "\(call) \(subject): \(String(cString: strerror(errno)))"
    }
}
