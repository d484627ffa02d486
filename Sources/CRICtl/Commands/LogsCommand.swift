import ArgumentParser
import CRI

/// `crictl logs`
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Fetch the logs of a container",
        discussion: """
            kubesim crictl logs -f --tail 20 1f73f2d81bf98
              kubesim crictl logs --since 10m --timestamps 1f73f2d81bf98
              kubesim crictl logs -p 1f73f2d81bf98
            """)

    @Argument(help: "The container's id") var containerID: String
    @Flag(name: .shortAndLong, help: "Follow log output") var follow = false
    @Flag(name: .shortAndLong, help: "Print the logs for the previous instance of the container in a pod if it exists")
    var previous = false
    @Flag(name: .shortAndLong, help: "Reopen the container logs for the provided container") var reopen = false
    @Option(help: "Number of lines to show from the end of the logs. Defaults to all") var tail: Int?
    @Option(help: "Maximum bytes of logs to return. Defaults to no limit") var limitBytes: Int?
    @Option(help: "Show logs since timestamp (e.g. 2013-01-02T13:23:37) or relative (e.g. 42m for 42 minutes)")
    var since: String?
    @Flag(name: .shortAndLong, help: "Show timestamps") var timestamps = false
    @Option(name: .shortAndLong, help: "Show specified stream (stdout or stderr). Defaults to both.")
    var stream: String?

    func validate() throws {
        if let stream, stream != "stdout", stream != "stderr" {
            throw ValidationError("invalid stream \"\(stream)\", must be \"stdout\" or \"stderr\"")
        }
        if tail != nil && stream != nil { throw ValidationError("--tail and --stream are mutually exclusive") }
    }

    func run() async throws {
        var printer = LogPrinter()
        printer.timestamps = timestamps
        printer.since = try since.map(Self.moment)
        if let limitBytes, limitBytes >= 0 { printer.remaining = limitBytes }
        printer.wantsOutput = stream != "stderr"
        printer.wantsErrors = stream != "stdout"
        let prepared = printer
        try await withServices { services in
            let status = try await status(services)
            try await print(try path(status), status.id, prepared, services)
        }
    }

    private func status(_ services: Services) async throws -> CRIContainerStatus {
        if reopen {
            var request = CRIReopenContainerLogRequest()
            request.containerID = containerID
            let asked = request
            _ = try await doing("reopen container logs") { try await services.runtime.reopenContainerLog(asked) }
            warn("Container logs reopened")
        }
        var request = CRIContainerStatusRequest()
        request.containerID = containerID
        let asked = request
        return try await doing("get container status") { try await services.runtime.containerStatus(asked).status }
    }

    /// The log's path, or that of the attempt before: `…/3.log` → `…/2.log`.
    private func path(_ status: CRIContainerStatus) throws -> String {
        let path = status.logPath
        guard !path.isEmpty else { throw Failure("the container has not set log path") }
        guard previous else { return path }
        guard status.metadata.attempt > 0 else {
            throw Failure("previous terminated container \(status.metadata.name) not found")
        }
        let directory = path[..<(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)]
        let ending = path.lastIndex(of: ".").map { path[$0...] } ?? ""
        return directory + "\(status.metadata.attempt - 1)" + ending
    }

    private func print(
        _ path: String, _ container: String, _ prepared: LogPrinter, _ services: Services
    ) async throws {
        var printer = prepared
        if printer.isFull { return }
        var file = try LogFile(path)
        // With -f, `--tail 0` shows what comes from now on.
        if let tail, tail >= 0 { try file.seek(toLast: tail) }
        if tail == 0, !follow { return }
        guard follow, !previous else {
            try Self.read(&file, into: &printer, final: true)
            return
        }
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        // Closures can't borrow what can't be copied, so the file waits in a box.
        let box = LogFileBox(file)
        try await LogFollower.follow(directory, container: container, services) { wake in
            try box.read(into: &printer, final: wake == .ended)
            return !printer.isFull
        }
    }

    fileprivate static func read(_ file: inout LogFile, into printer: inout LogPrinter, final: Bool) throws {
        var current = printer
        let path = file.path
        try file.readLines(final: final) { bytes in
            guard let line = LogLine(bytes) else {
                current.flush()
                warn(
                    "Failed when parsing line in log file \(path): \(String(decoding: bytes.prefix(80).filter { $0 >= 32 }, as: UTF8.self))"
                )
                return true
            }
            current.add(line)
            if current.output.count + current.errors.count > 64 << 10 { current.flush() }
            return !current.isFull
        }
        current.flush()
        printer = current
    }

    /// `42m` before now, an RFC 3339 time, or seconds since 1970.
    static func moment(_ text: String) throws -> Int64 {
        if let seconds = Double(text), seconds < 9e9 { return Int64(seconds * 1e9) }
        if let duration = GoDuration(argument: text)?.duration {
            let (seconds, attoseconds) = duration.components
            return Timestamp.now - (seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
        if let moment = Timestamp.parse(text) { return moment }
        throw Failure(
            "--since: \"\(text)\" is neither a duration (42m), nor a time (2013-01-02T13:23:37Z), nor seconds")
    }
}

/// A log that is followed, and the one that takes its place when it is rotated.
private final class LogFileBox {
    private var file: LogFile

    init(_ file: consuming LogFile) { self.file = file }

    func read(into printer: inout LogPrinter, final: Bool) throws {
        try LogsCommand.read(&file, into: &printer, final: final)
        while file.wasReplaced, !printer.isFull {
            // The rotated file got its last lines before the new one was made.
            try LogsCommand.read(&file, into: &printer, final: true)
            // It may be gone again already; the next notice tells.
            guard let next = file.successor() else { return }
            file = next
            try LogsCommand.read(&file, into: &printer, final: final)
        }
    }
}
