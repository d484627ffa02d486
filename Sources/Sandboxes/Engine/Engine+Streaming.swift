import CRI
import Glibc
import Linux
import ShimClient
import ShimProtocol
import SwiftProtobuf

/// What the streaming server asks; the shapes are those of the streaming room's `StreamingRuntime`.
extension Engine {
    public func exec(_ request: CRIExecRequest) async throws(CRIError) -> CRIExecResponse {
        let entry = try running(request.containerID, for: "exec")
        guard !request.cmd.isEmpty else {
            throw CRIError(.invalidArgument, "\(describe(entry.record)): exec: no command")
        }
        var full = request
        full.containerID = entry.record.id.text
        let url = try await streamingServer("Exec").execURL(full)
        return CRIExecResponse.with { $0.url = url }
    }

    public func attach(_ request: CRIAttachRequest) async throws(CRIError) -> CRIAttachResponse {
        let entry = try running(request.containerID, for: "attach")
        var full = request
        full.containerID = entry.record.id.text
        // What is attached to is the container's own terminal, or none.
        full.tty = entry.record.config.tty
        if full.tty { full.stderr = false }
        let url = try await streamingServer("Attach").attachURL(full)
        return CRIAttachResponse.with { $0.url = url }
    }

    public func portForward(_ request: CRIPortForwardRequest) async throws(CRIError) -> CRIPortForwardResponse {
        let entry = try ready(request.podSandboxID)
        var full = request
        full.podSandboxID = entry.record.id.text
        let url = try await streamingServer("PortForward").portForwardURL(full)
        return CRIPortForwardResponse.with { $0.url = url }
    }

    private func streamingServer(_ call: String) throws(CRIError) -> any StreamingURLs {
        guard let streaming else { throw CRIError(.unimplemented, "\(call): this node has no streaming server") }
        return streaming
    }

    private func ready(_ text: String) throws(CRIError) -> SandboxEntry {
        let entry = try sandbox(text)
        guard entry.record.stage == .ready else {
            throw CRIError(.failedPrecondition, "pod \(podName(entry.record.id)): the sandbox is not ready")
        }
        return entry
    }

    /// Starts a command with the caller's descriptors, or with a terminal whose controlling side is returned.
    public func startExec(
        _ request: CRIExecRequest, stdin: Int32?, stdout: Int32?, stderr: Int32?
    ) async throws(CRIError) -> (exec: String, terminal: Int32?) {
        let entry = try running(request.containerID, for: "exec")
        let (id, name) = (entry.record.id, describe(entry.record))
        let shim = try shim(of: entry.record.sandbox, for: name)
        let exec = Self.execName()
        do {
            let process = try await execProcess(id, command: request.cmd, terminal: request.tty)
            let handle = try await shim.exec(
                ExecRequest(container: id.text, exec: exec, process: process, terminal: request.tty),
                streams: request.tty
                    ? StreamDescriptors() : StreamDescriptors(stdin: stdin, stdout: stdout, stderr: stderr))
            guard let terminal = handle.terminal else { return (exec, nil) }
            // The server's copy is the only one that stays: closing it hangs the terminal up.
            let copy = try Descriptor.copy(of: terminal.descriptor).release()
            terminals[exec] = TerminalReference(descriptor: copy)
            return (exec, copy)
        } catch {
            throw Failure.translate(error, "\(name): exec")
        }
    }

    /// Waits for the end of a command that ``startExec(_:stdin:stdout:stderr:)`` began: its exit code.
    public func waitExec(_ exec: String, container: String) async throws(CRIError) -> Int32 {
        defer { terminals[exec] = nil }
        let entry = try self.container(container)
        let name = describe(entry.record)
        let shim = try shim(of: entry.record.sandbox, for: name)
        do {
            return try await shim.waitForExit(entry.record.id.text, exec: exec).exitCode
        } catch {
            throw Failure.translate(error, "\(name): exec")
        }
    }

    /// Joins the streams of a running container.
    ///
    /// - Returns: whether its input stays open when this client's ends (`stdin_once` closes it, but for a terminal).
    @discardableResult
    public func startAttach(
        _ request: CRIAttachRequest, stdin: Int32?, stdout: Int32?, stderr: Int32?
    ) async throws(CRIError) -> Bool {
        let entry = try running(request.containerID, for: "attach")
        let name = describe(entry.record)
        let shim = try shim(of: entry.record.sandbox, for: name)
        do {
            try await shim.attach(
                entry.record.id.text,
                streams: StreamDescriptors(
                    stdin: entry.record.config.stdin ? stdin : nil, stdout: stdout, stderr: stderr))
            return entry.record.config.tty || !entry.record.config.stdinOnce
        } catch {
            throw Failure.translate(error, "\(name): attach")
        }
    }

    /// Sets the size of a container's terminal, or of a command's.
    public func resizeTerminal(
        container: String, exec: String?, columns: UInt16, rows: UInt16
    ) async throws(CRIError) {
        let entry = try self.container(container)
        let name = describe(entry.record)
        do {
            if let exec {
                guard let terminal = terminals[exec] else { return }
                try terminal.resize(columns: columns, rows: rows)
            } else {
                try await shim(of: entry.record.sandbox, for: name)
                    .resize(entry.record.id.text, TerminalSize(columns: columns, rows: rows))
            }
        } catch {
            throw Failure.translate(error, "\(name): resize")
        }
    }

    /// Connects to `port` on the loopback device of a sandbox's network.
    public func connect(sandbox: String, port: UInt16) async throws(CRIError) -> Int32 {
        let entry = try ready(sandbox)
        let netns = entry.record.netns
        let program = configuration.shimPath
        do {
            return try await Blocking.run { try PodDial.connect(netns: netns, port: port, program: program) }
        } catch {
            throw Failure.translate(error, "pod \(podName(entry.record.id)): port \(port)")
        }
    }
}
