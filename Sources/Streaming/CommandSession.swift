import CRI
import Glibc
import Logging
import NIOCore
import NIOWebSocket

/// Serves one exec or attach over an upgraded connection.
///
/// A task for each output, one for the client's messages and one for the exit; what they observe comes together in one
/// loop, which alone decides when the session is over.
struct CommandSession: Sendable {
    let request: StreamRequest
    let runtime: any StreamingRuntime
    let logger: Logger

    private enum Step: Sendable {
        case clientLeft
        case outputEnded
        case exited(RemoteStatus)
        case waited
    }

    /// How long an output may stay silent, after the process has ended, while somebody else still holds it open.
    private static let silenceAfterExit = Duration.seconds(1)
    /// How long the client may take to say goodbye.
    private static let farewell = Duration.seconds(10)

    func serve(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter
    ) async throws {
        let streams: CommandStreams
        do {
            streams = try await runtime.begin(request)
        } catch {
            try await finish(.failed(message: error.message), inbound, writer)
            return
        }
        defer { if let sizer = streams.sizer { close(sizer) } }
        try await withDescriptors(streams.descriptors[...]) { opened in
            try await converse(inbound, writer, streams, opened)
        }
    }

    private func converse(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter, _ streams: CommandStreams,
        _ opened: [OpenDescriptor]
    ) async throws {
        let activity = OutputActivity()
        try await withThrowingTaskGroup(of: Step.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await readMessages(inbound, writer, streams, streams.input.map { opened[$0].outbound })
                return .clientLeft
            }
            for (channel, index) in streams.outputs {
                group.addTask {
                    try await opened[index].inbound.forEach { piece in
                        try await activity.during { try await writer.send(channel.rawValue, piece) }
                    }
                    return .outputEnded
                }
            }
            if let exec = streams.exec {
                group.addTask { .exited(await exitStatus(of: exec)) }
            }
            var openOutputs = streams.outputs.count
            var status: RemoteStatus?
            loop: while let step = try await group.next() {
                switch step {
                case .clientLeft: return
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
                if openOutputs == 0, status != nil { break loop }
            }
            try await writer.send(.error, (status ?? .success).json)
            await writer.close(.normalClosure)
            group.addTask {
                try await Task.sleep(for: Self.farewell); return .waited
            }
            while let step = try await group.next() {
                switch step {
                case .clientLeft, .waited: return
                case .exited, .outputEnded: continue
                }
            }
        }
    }

    /// Tells a client why there is no stream, and lets it say goodbye.
    private func finish(
        _ status: RemoteStatus, _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter
    ) async throws {
        try await writer.send(.error, status.json)
        await writer.close(.normalClosure)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await inbound.forEachMessage(answering: writer) { _ in } }
            group.addTask { try await Task.sleep(for: Self.farewell) }
            try await group.next()
            group.cancelAll()
        }
    }

    private func readMessages(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: FrameWriter, _ streams: CommandStreams,
        _ input: DescriptorWriter?
    ) async throws {
        // Becomes nil when the process has closed its input: what the client still sends is dropped then.
        var input = input
        try await inbound.forEachMessage(answering: writer) { message in
            switch RemoteCommand.Channel(rawValue: message.channel) {
            case .stdin:
                guard message.bytes.readableBytes > 0 else { return }
                do { try await input?.write(message.bytes) } catch { input = nil }
            case .resize: await resize(message.bytes, streams)
            case .close:
                guard message.bytes.readableBytesView.elementsEqual([RemoteCommand.Channel.stdin.rawValue]) else {
                    throw ProtocolViolation(code: .protocolError)
                }
                // A terminal has no end of input that could be closed.
                if streams.sizer == nil { input?.finish() }
                input = nil
            case .stdout, .stderr, .error, nil: throw ProtocolViolation(code: .protocolError)
            }
        }
    }

    private func resize(_ bytes: ByteBuffer, _ streams: CommandStreams) async {
        guard let size = RemoteCommand.TerminalSize(json: Array(bytes.readableBytesView)) else { return }
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
