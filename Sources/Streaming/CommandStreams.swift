import CRI
import Glibc
import Linux

/// The server's ends of a started command's streams.
struct CommandStreams: Sendable {
    /// The runtime's name for an exec; nil for an attachment.
    var exec: String?
    /// The ends to open, in an order that `input` and `outputs` index.
    var descriptors: [(Int32, DescriptorUse)] = []
    var input: Int?
    var outputs: [(RemoteCommand.Channel, Int)] = []
    /// A duplicate of an exec's terminal through which its size is set; the session closes it.
    var sizer: Int32?
    /// The command is over for its client when that one's input ends: an attachment to a container which goes on.
    var endsWithInput = false
}

extension StreamingRuntime {
    /// Makes the pipes that the request wants and starts the command on them.
    func begin(_ request: StreamRequest) async throws(CRIError) -> CommandStreams {
        switch request {
        case .exec(let exec) where exec.tty: return try await beginTerminal(exec)
        case .exec(let exec):
            return try await beginPipes(stdin: exec.stdin, stdout: exec.stdout, stderr: exec.stderr) {
                (stdin, stdout, stderr) async throws(CRIError) in
                try await startExec(exec, stdin: stdin, stdout: stdout, stderr: stderr).exec
            }
        case .attach(let attach):
            var outlives = false
            var streams = try await beginPipes(stdin: attach.stdin, stdout: attach.stdout, stderr: attach.stderr) {
                (stdin, stdout, stderr) async throws(CRIError) in
                outlives = try await startAttach(attach, stdin: stdin, stdout: stdout, stderr: stderr)
                return nil
            }
            streams.endsWithInput = attach.stdin && outlives
            return streams
        case .portForward: throw CRIError(.internal, "a port-forward is no command")
        }
    }

    private func beginTerminal(_ request: CRIExecRequest) async throws(CRIError) -> CommandStreams {
        let (exec, terminal) = try await startExec(request, stdin: nil, stdout: nil, stderr: nil)
        guard let terminal else { throw CRIError(.internal, "exec: the runtime made no terminal") }
        var streams = CommandStreams(exec: exec)
        let sizer = fcntl(terminal, F_DUPFD_CLOEXEC, 3)
        streams.sizer = sizer >= 0 ? sizer : nil
        streams.descriptors = [(terminal, .terminal)]
        streams.input = request.stdin ? 0 : nil
        streams.outputs = [(.stdout, 0)]
        return streams
    }

    private func beginPipes(
        stdin wantsInput: Bool, stdout wantsOutput: Bool, stderr wantsErrors: Bool,
        _ start: (Int32?, Int32?, Int32?) async throws(CRIError) -> String?
    ) async throws(CRIError) -> CommandStreams {
        // All three are made, and those that nobody wants are closed unseen: fewer ways through here.
        var input = try makePipe()
        var output = try makePipe()
        var errors = try makePipe()
        var streams = CommandStreams()
        streams.exec = try await start(
            wantsInput ? input.reading : nil, wantsOutput ? output.writing : nil, wantsErrors ? errors.writing : nil)
        if wantsOutput {
            streams.outputs.append((.stdout, streams.descriptors.count))
            streams.descriptors.append((output.takeReading(), .reading))
        }
        if wantsErrors {
            streams.outputs.append((.stderr, streams.descriptors.count))
            streams.descriptors.append((errors.takeReading(), .reading))
        }
        if wantsInput {
            streams.input = streams.descriptors.count
            streams.descriptors.append((input.takeWriting(), .writing))
        }
        return streams
    }

    private func makePipe() throws(CRIError) -> Pipe {
        do { return try Pipe() } catch { throw CRIError(.resourceExhausted, "no pipe for the stream: \(error)") }
    }
}
