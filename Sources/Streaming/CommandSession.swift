import CRI
import Glibc
import Logging
import NIOCore

/// Serves one exec or attach.
///
/// One task reads the connection, another runs the command: tasks for its outputs, its input and its exit tell what they
/// observe to one loop, which alone decides when the command is over.
struct CommandSession: Sendable {
    let request: StreamRequest
    let runtime: any StreamingRuntime
    let logger: Logger

    private enum Step: Sendable {
        case clientLeft
        case inputEnded
        case outputEnded
        case exited(RemoteStatus)
        case waited
    }

    /// How long an output may stay silent, after the process has ended while somebody else still holds it open, or after the
    /// input of an attachment has ended, whose answer is still waited for.
    private static let silenceAfterExit = Duration.seconds(1)
    /// How long an attachment lasts beyond its input, also to a container that is never silent.
    private static let longestAnswer = Duration.seconds(10)
    /// How long the process may take for the last of what a client said that has left.
    private static let farewell = Duration.seconds(10)

    func serve(_ client: some CommandClient) async throws {
        let budget = ByteBudget(limit: SPDYLimits.waitingBytes)
        let inbox = StreamInbox<CommandInput>(budget)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                defer { inbox.finish() }
                try await client.pump(into: inbox, budget)
                return false
            }
            group.addTask {
                // What a client still sends after the end is read and dropped: it may be all that keeps it from reading.
                defer { inbox.close() }
                return try await run(client, inbox)
            }
            // The last word is said, and the connection's end brings it to the client; or this one has left.
            if try await group.next() == true { return }
            group.addTask {
                try await Task.sleep(for: Self.farewell)
                return false
            }
            _ = try await group.next()
        }
    }

    /// - Returns: whether the client was told how the command ended
    private func run(_ client: some CommandClient, _ inbox: StreamInbox<CommandInput>) async throws -> Bool {
        do {
            try await client.ready()
        } catch is CancellationError where !Task.isCancelled {
            // The connection has ended before: its reader says why.
            return false
        }
        let streams: CommandStreams
        do {
            streams = try await runtime.begin(request)
        } catch {
            try await client.finish(.failed(message: error.message))
            return true
        }
        defer { if let sizer = streams.sizer { close(sizer) } }
        return try await withDescriptors(streams.descriptors[...]) { opened in
            guard let status = try await converse(client, inbox, streams, opened) else { return false }
            try await client.finish(status)
            return true
        }
    }

    /// Moves bytes until the command is over; nil when the client left before.
    private func converse(
        _ client: some CommandClient, _ inbox: StreamInbox<CommandInput>, _ streams: CommandStreams,
        _ opened: [OpenDescriptor]
    ) async throws -> RemoteStatus? {
        let activity = OutputActivity()
        let (inputOver, inputEnds) = AsyncStream.makeStream(of: Void.self)
        return try await withThrowingTaskGroup(of: Step.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                await take(inbox, streams, streams.input.map { opened[$0].outbound }, inputEnds)
                return .clientLeft
            }
            if streams.endsWithInput {
                group.addTask {
                    for await _ in inputOver {}
                    return .inputEnded
                }
            }
            for (channel, index) in streams.outputs {
                group.addTask {
                    try await opened[index].inbound.forEach { piece in
                        try await activity.during { try await client.send(channel, piece) }
                    }
                    try await client.end(channel)
                    return .outputEnded
                }
            }
            if let exec = streams.exec {
                group.addTask { .exited(await exitStatus(of: exec)) }
            }
            var openOutputs = streams.outputs.count
            var status: RemoteStatus?
            while let step = try await group.next() {
                switch step {
                case .clientLeft: return nil
                case .inputEnded:
                    status = .success
                    group.addTask {
                        try await activity.silence(Self.silenceAfterExit); return .waited
                    }
                    group.addTask {
                        try await Task.sleep(for: Self.longestAnswer); return .waited
                    }
                case .exited(let how):
                    status = how
                    if openOutputs > 0 {
                        group.addTask {
                            try await activity.silence(Self.silenceAfterExit); return .waited
                        }
                    }
                case .outputEnded:
                    openOutputs -= 1
                    if openOutputs == 0 && streams.exec == nil { status = .success }
                case .waited: openOutputs = 0
                }
                if openOutputs == 0, let status { return status }
            }
            return nil
        }
    }

    /// Does what the client says, until it has left.
    private func take(
        _ inbox: StreamInbox<CommandInput>, _ streams: CommandStreams, _ input: DescriptorWriter?,
        _ ends: AsyncStream<Void>.Continuation
    ) async {
        // Becomes nil when the process has closed its input: what the client still sends is dropped then.
        var input = input
        while let next = await inbox.next() {
            switch next {
            case .stdin(let bytes):
                do { try await input?.write(bytes) } catch { input = nil }
            case .stdinEnded:
                // A terminal has no end of input that could be closed.
                if streams.sizer == nil { input?.finish() }
                input = nil
                ends.finish()
            case .resize(let size): await resize(size, streams)
            }
        }
    }

    private func resize(_ size: RemoteCommand.TerminalSize, _ streams: CommandStreams) async {
        if let sizer = streams.sizer {
            var window = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
            _ = ioctl(sizer, UInt(TIOCSWINSZ), &window)
        } else if case .attach(let attach) = request, attach.tty {
            do {
                try await runtime.resizeTerminal(
                    container: attach.containerID, columns: size.columns, rows: size.rows)
            } catch {
                logger.debug("a terminal was not resized", metadata: ["error": "\(error)"])
            }
        }
    }

    private func exitStatus(of exec: String) async -> RemoteStatus {
        guard case .exec(let request) = request else { return .success }
        do {
            let code = try await runtime.waitExec(exec, container: request.containerID)
            return code == 0 ? .success : .exited(code: code)
        } catch {
            return .failed(message: error.message)
        }
    }
}
