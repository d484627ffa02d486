import CRI
import NIOCore
import Synchronization

extension StreamingClient {
    /// Joins an exec or attach over SPDY: a stream for each of error, stdin, stdout, stderr and resize.
    func runOverSPDY<Input: AsyncSequence & Sendable>(
        _ input: Input?, terminal: Bool, _ sizes: AsyncStream<RemoteCommand.TerminalSize>,
        _ output: @escaping @Sendable (RemoteCommand.Channel, [UInt8]) async throws -> Void
    ) async throws -> RemoteStatus where Input.Element == [UInt8] {
        let versions = RemoteCommand.StreamVersion.allCases.map(\.rawValue)
        return try await openSPDY(versions) { inbound, writer, chosen in
            let version = chosen.flatMap(RemoteCommand.StreamVersion.init(rawValue:)) ?? .v1
            let wanted: [(RemoteCommand.Channel, Bool)] = [
                (.error, true), (.stdin, input != nil), (.stdout, true), (.stderr, !terminal),
                (.resize, terminal && version.hasResize),
            ]
            let streams = ClientStreams(wanted.filter(\.1).map(\.0))
            for (channel, stream) in streams.numbers.sorted(by: { $0.value < $1.value }) {
                try await writer.send(.synStream(stream, [SPDYHeader.streamType: channel.streamType], fin: false))
            }
            return try await withThrowingTaskGroup(of: RemoteStatus?.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await Self.receive(inbound, writer, streams, version, output) }
                group.addTask {
                    // What comes on a stream before its reply was sent is lost with spdystream.
                    await streams.replied()
                    try await Self.send(input, sizes, streams, writer)
                    return nil
                }
                while let ended = try await group.next() {
                    if let status = ended { return status }
                }
                throw Self.brokeOff
            }
        }
    }

    private static func send<Input: AsyncSequence & Sendable>(
        _ input: Input?, _ sizes: AsyncStream<RemoteCommand.TerminalSize>, _ streams: ClientStreams,
        _ writer: SPDYWriter
    ) async throws where Input.Element == [UInt8] {
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let resize = streams.numbers[.resize] {
                group.addTask {
                    for await size in sizes { try await writer.send(resize, size.json + [UInt8(ascii: "\n")]) }
                }
            }
            if let input, let stdin = streams.numbers[.stdin] {
                group.addTask {
                    for try await bytes in input { try await writer.send(stdin, bytes) }
                    if !Task.isCancelled { try await writer.end(stdin) }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func receive(
        _ inbound: NIOAsyncChannelInboundStream<SPDYFrame>, _ writer: SPDYWriter, _ streams: ClientStreams,
        _ version: RemoteCommand.StreamVersion,
        _ output: @Sendable (RemoteCommand.Channel, [UInt8]) async throws -> Void
    ) async throws -> RemoteStatus {
        var open: Set<RemoteCommand.Channel> = Set(streams.numbers.keys).intersection([.error, .stdout, .stderr])
        var failure: [UInt8] = []
        read: for try await frame in inbound {
            switch frame {
            case .synReply(let stream, _, let fin):
                streams.reply(to: stream)
                if fin, let channel = streams.channel(stream) { open.remove(channel) }
            case .data(let stream, let bytes, let fin):
                guard let channel = streams.channel(stream) else { continue }
                if channel == .error {
                    if failure.count < largestStatus { failure += bytes.readableBytesView }
                } else if bytes.readableBytes > 0 {
                    try await output(channel, Array(bytes.readableBytesView))
                }
                if fin { open.remove(channel) }
            case .headers(let stream, _, true), .rstStream(let stream, _):
                if let channel = streams.channel(stream) { open.remove(channel) }
            case .ping(let number): if number % 2 == 0 { try await writer.send(.ping(number)) }
            case .goAway: break read
            case .headers, .synStream, .settings, .windowUpdate: continue
            }
            if open.isEmpty { break }
        }
        if version.hasStatus, !failure.isEmpty { return RemoteStatus(json: failure) }
        guard failure.isEmpty else { return .failed(message: String(decoding: failure, as: UTF8.self)) }
        // Before version 4 a success says nothing.
        guard !version.hasStatus, !open.contains(.error) else { throw brokeOff }
        return .success
    }

    /// Bytes of a status that are read.
    private static let largestStatus = 64 << 10
}

/// The streams that a client has opened.
final class ClientStreams: Sendable {
    /// A client's streams have odd numbers.
    let numbers: [RemoteCommand.Channel: UInt32]
    private let unanswered: Mutex<Set<UInt32>>
    private let answers: AsyncStream<Void>
    private let allAnswered: AsyncStream<Void>.Continuation

    init(_ channels: [RemoteCommand.Channel]) {
        let numbers = Dictionary(
            uniqueKeysWithValues: channels.enumerated().map { ($1, UInt32(2 * $0 + 1)) })
        self.numbers = numbers
        unanswered = Mutex(Set(numbers.values))
        (answers, allAnswered) = AsyncStream.makeStream()
    }

    func channel(_ stream: UInt32) -> RemoteCommand.Channel? { numbers.first { $0.value == stream }?.key }

    func reply(to stream: UInt32) {
        let isLast = unanswered.withLock { open in
            open.remove(stream)
            return open.isEmpty
        }
        if isLast { allAnswered.finish() }
    }

    /// Returns once the server has answered every stream. For one caller.
    func replied() async { for await _ in answers {} }
}
