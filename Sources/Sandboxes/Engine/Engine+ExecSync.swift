import CRI
import FoundationEssentials
import JSON
import Linux
import Logging
import OCISpec
import ShimClient
import ShimProtocol
import SwiftProtobuf

extension Engine {
    /// Runs a command in a container and returns what it printed. A `timeout` in seconds (0 is none) kills the command
    /// and its children; output beyond the configured limit is dropped, which the end of the output says.
    public func execSync(_ request: CRIExecSyncRequest) async throws(CRIError) -> CRIExecSyncResponse {
        let entry = try running(request.containerID, for: "exec")
        let name = describe(entry.record)
        do {
            return try await execSync(request, entry.record, name: name)
        } catch {
            throw Failure.translate(error, "\(name): exec")
        }
    }

    private func execSync(
        _ request: CRIExecSyncRequest, _ record: ContainerRecord, name: String
    ) async throws -> CRIExecSyncResponse {
        let shim = try shim(of: record.sandbox, for: name)
        let (exec, mark) = (Self.execName(), ProcessMark())
        let process = try await execProcess(record.id, command: request.cmd, terminal: false, mark: mark)
        let room = configuration.execOutputLimitBytes
        var outputPipe = try Pipe()
        var errorsPipe = try Pipe()
        let output = try PipeCollector(reading: Descriptor(owning: outputPipe.takeReading()), limitBytes: room)
        let errors = try PipeCollector(reading: Descriptor(owning: errorsPipe.takeReading()), limitBytes: room)
        // Whatever happens, the collectors end: and their descriptors with them.
        defer {
            output.abandon()
            errors.abandon()
        }
        // The time counts from here: an OCI runtime that hangs is a part of it.
        let limit = request.timeout > 0 ? Duration.seconds(min(request.timeout, 10 * 365 * 86400)) : nil
        let began = ContinuousClock.now
        var ask = ExecRequest(container: record.id.text, exec: exec, process: process)
        if request.timeout > 0 {
            ask.deadlineMilliseconds = min(ask.deadlineMilliseconds, min(request.timeout, 86_400) * 1000)
        }
        let handle = try await shim.exec(
            ask, streams: StreamDescriptors(stdout: outputPipe.writing, stderr: errorsPipe.writing))
        // Only the command has the writing ends now, so that its end is theirs.
        _ = consume outputPipe
        _ = consume errorsPipe
        let exit: ExitRecord
        do {
            exit = try await waitForExec(exec, of: record, shim: shim, limit, since: began)
        } catch {
            await endExec(exec, handle.pid, mark, of: record, shim: shim)
            throw error
        }
        let (stdout, stderr) = (await output.finish(), await errors.finish())
        return CRIExecSyncResponse.with {
            $0.stdout = .init(Self.marked(stdout, limit: room))
            $0.stderr = .init(Self.marked(stderr, limit: room))
            $0.exitCode = exit.exitCode
        }
    }

    private func waitForExec(
        _ exec: String, of record: ContainerRecord, shim: any PodShim, _ limit: Duration?,
        since began: ContinuousClock.Instant
    ) async throws -> ExitRecord {
        guard let limit else { return try await shim.waitForExit(record.id.text, exec: exec) }
        return try await withDeadline(max(began + limit - .now, .zero), of: limit, step: "command") {
            try await shim.waitForExit(record.id.text, exec: exec)
        }
    }

    /// Kills a command that nobody waits for any more, with its children, whatever became of the caller.
    private func endExec(
        _ exec: String, _ pid: Int32, _ mark: ProcessMark, of record: ContainerRecord, shim: any PodShim
    ) async {
        await Task {
            await Blocking.run { ProcessTree.kill(pid, mark: mark) }
            do {
                _ = try await withDeadline(.seconds(10), step: "end of a command") {
                    try await shim.waitForExit(record.id.text, exec: exec)
                }
            } catch {
                logger.warning(
                    "a command that was killed doesn't end",
                    metadata: ["container": "\(record.id)", "pid": "\(pid)", "reason": "\(error)"])
            }
        }.value
    }

    private static func marked(_ output: (bytes: [UInt8], droppedBytes: Int), limit: Int) -> [UInt8] {
        guard output.droppedBytes > 0 else { return output.bytes }
        return output.bytes + Array("\n[\(output.droppedBytes) bytes beyond \(limit) were dropped]\n".utf8)
    }

    /// A running container.
    func running(_ text: String, for what: String) throws(CRIError) -> ContainerEntry {
        let entry = try container(text)
        guard entry.record.stage == .running else {
            throw CRIError(
                .failedPrecondition, "\(describe(entry.record)): \(what): the container is not running")
        }
        return entry
    }

    static func execName() -> String { "exec-" + ContainerID().short }

    /// The `process` section for a command: the container's own, with other arguments.
    ///
    /// - Parameter mark: what it is known by, with all that come from it
    func execProcess(
        _ id: ContainerID, command: [String], terminal: Bool, mark: ProcessMark? = nil
    ) async throws -> [UInt8] {
        guard !command.isEmpty else { throw CRIError(.invalidArgument, "no command") }
        for argument in command { try ProcessPlan.refuseNul(argument, "argument") }
        var process: OCISpec.Process
        if let known = containers[id]?.process {
            process = known
        } else {
            let bundle = places.bundle(id)
            guard let read = try await Blocking.run({ try BundleSpec.process(bundle) }) else {
                throw CRIError(.dataLoss, "\(bundle)/config.json has no process")
            }
            containers[id]?.process = read
            process = read
        }
        process.args = command
        process.terminal = terminal
        mark?.put(on: &process)
        if terminal, !process.env.contains(where: { $0.hasPrefix("TERM=") }) { process.env.append("TERM=xterm") }
        return process.encoded()
    }
}
