import Dispatch
import Glibc
import JSON
import Linux

/// Runs programs for the network without holding up Swift's own threads: plugins, and iptables.
struct PluginRunner: Sendable {
    var binDirs: [String]
    var deadline: Duration

    /// Plugins take turns on the kernel's locks anyway; more at once would only be more processes. One that runs for long is
    /// waiting for something else than a processor, and gives its place to the next: plugins that hang hold up nobody.
    private static let queue = DispatchQueue(label: "kubesim.network.plugins", attributes: .concurrent)
    private static let places = Places(8)
    private static let longestStay = Duration.seconds(1)
    private let stops = PluginStops()

    init(binDirs: [String], deadline: Duration) {
        self.binDirs = binDirs
        self.deadline = deadline
    }

    /// Ends every program that runs, with all that it started, and lets none begin.
    func stopAll() { stops.stopAll() }

    /// Runs a plugin and reads its answer: the result of ADD, the versions, null for the others.
    @discardableResult
    func run(_ invocation: Invocation) async throws(NetworkError) -> JSONValue {
        func failed(_ code: NetworkError.Code, _ reason: String, _ pluginCode: UInt64? = nil) -> NetworkError {
            NetworkError(
                code, pod: invocation.pod, plugin: invocation.plugin, network: invocation.network,
                pluginCode: pluginCode, reason: invocation.verb.rawValue + ": " + reason)
        }
        guard let path = find(invocation.plugin) else {
            throw failed(.pluginMissing, PluginRunner.missing([invocation.plugin], in: binDirs))
        }
        let run: PluginRun
        do throws(PluginRun.Failure) {
            run = try await perform(
                path, [path], environment: invocation.environment, input: invocation.config.encoded(pretty: false),
                // What takes away is never left halfway.
                endsWithTask: invocation.verb != .del)
        } catch {
            switch error {
            case .deadline: throw failed(.deadline, "it didn't end within \(deadline) and was killed (\(path))")
            case .tooMuchOutput:
                throw failed(
                    .pluginFailed, "it wrote more than \(PluginRun.outputLimit) bytes and was killed (\(path))")
            case .stopped: throw failed(.host, "it was ended, since nobody waits for it any more")
            case .system(let cause): throw failed(.host, "\(cause)")
            }
        }
        guard run.status == .exited(code: 0) else {
            throw failed(.pluginFailed, PluginAnswer.failure(run), PluginAnswer.code(run))
        }
        guard invocation.verb == .add || invocation.verb == .version else { return .null }
        do throws(JSONError) {
            return try JSONValue.parse(run.output)
        } catch {
            throw failed(.pluginFailed, "its result is no JSON: \(error)\(PluginAnswer.excerpt(run.errors))")
        }
    }

    /// Runs any program with this process's environment and the given variables.
    ///
    /// - Parameter endsWithTask: whether the program is killed when the calling task is cancelled
    func perform(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        endsWithTask: Bool = false
    ) async throws(PluginRun.Failure) -> PluginRun {
        let variables = PluginRunner.merged(environment)
        let (seconds, attoseconds) = deadline.components
        let milliseconds = Int(clamping: seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
        let stop: PluginStop
        do throws(SystemError) { stop = try PluginStop() } catch { throw .system(error) }
        await PluginRunner.places.take()
        // True once the place was given back early.
        let early = Task {
            do { try await Task.sleep(for: PluginRunner.longestStay) } catch { return false }
            await PluginRunner.places.giveBack()
            return true
        }
        let outcome = await withTaskCancellationHandler {
            await perform(path, arguments, variables, input, milliseconds, stop)
        } onCancel: {
            if endsWithTask { stop.signal() }
        }
        early.cancel()
        if !(await early.value) { await PluginRunner.places.giveBack() }
        return try outcome.get()
    }

    private func perform(
        _ path: String, _ arguments: [String], _ environment: [String], _ input: [UInt8], _ milliseconds: Int,
        _ stop: PluginStop
    ) async -> Result<PluginRun, PluginRun.Failure> {
        guard stops.add(stop) else { return .failure(.stopped) }
        defer { stops.remove(stop) }
        return await withCheckedContinuation { continuation in
            PluginRunner.queue.async {
                do throws(PluginRun.Failure) {
                    let run = try PluginRun.perform(
                        path, arguments, environment: environment, input: input, deadlineMilliseconds: milliseconds,
                        stop: stop)
                    continuation.resume(returning: .success(run))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }

    /// Where a plugin's program is.
    func find(_ plugin: String) -> String? {
        for directory in binDirs {
            let path = directory + "/" + plugin
            if access(path, X_OK) == 0 { return path }
        }
        return nil
    }

    /// What is missing and how to mend it.
    static func missing(_ plugins: [String], in binDirs: [String]) -> String {
        "no program \(plugins.joined(separator: ", ")) in \(binDirs.joined(separator: ", ")); "
            + "apt-get install containernetworking-plugins"
    }

    /// This process's environment with `overrides`; plugins that run iptables need the system's directories in PATH.
    private static func merged(_ overrides: [String: String]) -> [String] {
        var found: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        var path = (found["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
        for directory in ["/usr/sbin", "/usr/bin", "/sbin", "/bin"] where !path.contains(directory) {
            path.append(directory)
        }
        found["PATH"] = path.joined(separator: ":")
        found.merge(overrides) { $1 }
        return found.map { $0.key + "=" + $0.value }
    }
}

/// A fixed number of places; who finds none waits in line.
actor Places {
    private var free: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { line.append($0) }
    }

    func giveBack() {
        if line.isEmpty {
            free += 1
        } else {
            line.removeFirst().resume()
        }
    }
}
