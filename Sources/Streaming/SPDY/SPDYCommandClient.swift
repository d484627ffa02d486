import CRI
import NIOCore
import Synchronization

/// The client of an exec or attach on a SPDY connection: it opens a stream for each of error, stdin, stdout, stderr and
/// resize (k8s.io/client-go/tools/remotecommand).
final class SPDYCommandClient: CommandClient {
    private struct State {
        var peer = SPDYPeer(mostStreams: SPDYLimits.commandStreams)
        var streams: [RemoteCommand.Channel: UInt32] = [:]
        /// Streams of ours that are over: ended, or not wanted any more.
        var over: Set<UInt32> = []
        var sizes: [UInt8] = []
    }

    private let inbound: NIOAsyncChannelInboundStream<SPDYFrame>
    private let writer: SPDYWriter
    private let version: RemoteCommand.StreamVersion
    /// What must be open before the command can begin; resize may come later, or not at all.
    private let needed: Set<RemoteCommand.Channel>
    private let limit: Duration
    private let state = Mutex(State())
    private let opened: AsyncStream<Void>
    private let allOpen: AsyncStream<Void>.Continuation

    init(
        _ inbound: NIOAsyncChannelInboundStream<SPDYFrame>, _ writer: SPDYWriter, _ request: StreamRequest,
        version: RemoteCommand.StreamVersion, limit: Duration
    ) {
        self.inbound = inbound
        self.writer = writer
        self.version = version
        self.limit = limit
        needed = request.channels
        (opened, allOpen) = AsyncStream.makeStream()
    }

    /// Waits for the streams of what was asked for.
    func ready() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { [opened] in for await _ in opened {} }
            group.addTask { [limit] in
                try await Task.sleep(for: limit)
                throw SPDYViolation("the streams were not opened within \(limit)")
            }
            try await group.next()
        }
        // The connection may have ended instead.
        try Task.checkCancellation()
        guard state.withLock({ needed.isSubset(of: $0.streams.keys) }) else { throw CancellationError() }
    }

    func pump(into inbox: StreamInbox<CommandInput>, _ budget: ByteBudget) async throws {
        defer { allOpen.finish() }
        for try await frame in inbound {
            switch frame {
            case .synStream(let stream, let headers, let fin): try await open(stream, headers, fin: fin, inbox)
            case .data(let stream, let bytes, let fin):
                take(stream, bytes, inbox)
                if fin { ended(stream, inbox) }
            case .rstStream(let stream, _):
                state.withLock { _ = $0.over.insert(stream) }
                ended(stream, inbox)
            case .headers(let stream, _, let fin): if fin { ended(stream, inbox) }
            case .ping(let number): if number % 2 == 1 { try await writer.send(.ping(number)) }
            // One that says goodbye opens no more streams; those that are open go on.
            case .goAway, .synReply, .settings, .windowUpdate: continue
            }
            await budget.room()
        }
    }

    private func open(
        _ stream: UInt32, _ headers: SPDYFrame.Headers, fin: Bool, _ inbox: StreamInbox<CommandInput>
    ) async throws {
        let channel = RemoteCommand.Channel(streamType: headers[SPDYHeader.streamType] ?? "")
        let refusal = try state.withLock { state throws -> SPDYFrame.Reset? in
            if let refusal = try state.peer.refusal(of: stream, open: state.streams.count) { return refusal }
            guard let channel else { return try state.peer.refused(.protocolError) }
            guard state.streams[channel] == nil else { return try state.peer.refused(.streamInUse) }
            state.streams[channel] = stream
            return nil
        }
        if let refusal { return try await writer.send(.rstStream(stream, refusal)) }
        try await writer.send(.synReply(stream, [:], fin: false))
        if fin { ended(stream, inbox) }
        if state.withLock({ needed.isSubset(of: $0.streams.keys) }) { allOpen.finish() }
    }

    private func take(_ stream: UInt32, _ bytes: ByteBuffer, _ inbox: StreamInbox<CommandInput>) {
        guard bytes.readableBytes > 0 else { return }
        switch channel(of: stream) {
        case .stdin: inbox.push(.stdin(bytes), bytes: bytes.readableBytes)
        case .resize:
            for size in sizes(bytes) { inbox.push(.resize(size), bytes: RemoteCommand.TerminalSize.longestJSON) }
        // A stream that is over, or one that is ours to write to.
        default: break
        }
    }

    /// Sizes come as JSON objects, one a line, cut anywhere.
    private func sizes(_ bytes: ByteBuffer) -> [RemoteCommand.TerminalSize] {
        state.withLock { state in
            state.sizes += bytes.readableBytesView
            var found: [RemoteCommand.TerminalSize] = []
            while let end = state.sizes.firstIndex(of: UInt8(ascii: "}")) {
                if let size = RemoteCommand.TerminalSize(json: Array(state.sizes[...end])) { found.append(size) }
                state.sizes.removeFirst(end + 1)
            }
            // What is so long is no size.
            if state.sizes.count > RemoteCommand.TerminalSize.longestJSON { state.sizes = [] }
            return found
        }
    }

    private func ended(_ stream: UInt32, _ inbox: StreamInbox<CommandInput>) {
        if channel(of: stream) == .stdin { inbox.push(.stdinEnded, bytes: 1) }
    }

    private func channel(of stream: UInt32) -> RemoteCommand.Channel? {
        state.withLock { $0.streams.first { $0.value == stream }?.key }
    }

    func send(_ channel: RemoteCommand.Channel, _ bytes: ByteBuffer) async throws {
        guard
            let stream = state.withLock({ state in state.streams[channel].flatMap { state.over.contains($0) ? nil : $0 }
            })
        else { return }
        try await writer.send(stream, bytes)
    }

    func end(_ channel: RemoteCommand.Channel) async throws {
        let stream = state.withLock { state in
            state.streams[channel].flatMap { state.over.insert($0).inserted ? $0 : nil }
        }
        if let stream { try await writer.end(stream) }
    }

    func finish(_ status: RemoteStatus) async throws {
        // The outputs first: their readers look at the error only after their ends.
        for channel in [.stdout, .stderr] as [RemoteCommand.Channel] { try await end(channel) }
        if let text = status.text(asJSON: version.hasStatus) { try await send(.error, ByteBuffer(bytes: text)) }
        for channel in [.error, .stdin, .resize] as [RemoteCommand.Channel] { try await end(channel) }
    }
}

extension StreamRequest {
    /// The channels that a client opens before the command begins.
    fileprivate var channels: Set<RemoteCommand.Channel> {
        func channels(stdin: Bool, stdout: Bool, stderr: Bool) -> Set<RemoteCommand.Channel> {
            let wanted: [(RemoteCommand.Channel, Bool)] = [(.stdin, stdin), (.stdout, stdout), (.stderr, stderr)]
            return Set(wanted.filter(\.1).map(\.0) + [.error])
        }
        return switch self {
        case .exec(let exec): channels(stdin: exec.stdin, stdout: exec.stdout, stderr: exec.stderr && !exec.tty)
        case .attach(let attach):
            channels(stdin: attach.stdin, stdout: attach.stdout, stderr: attach.stderr && !attach.tty)
        case .portForward: []
        }
    }
}
