import CRI
import NIOCore
import NIOPosix
import Synchronization

extension StreamingClient {
    /// Joins a connected socket to a port over SPDY: a stream for its bytes, one for an error.
    func forwardOverSPDY(_ port: UInt16, _ socket: Int32) async throws {
        try await withDescriptors([(socket, .socket)]) { opened in
            try await openSPDY([SPDYForwardSession.version]) { inbound, writer, _ in
                let streams = ClientStreams([.error, .stdin])
                guard let error = streams.numbers[.error], let data = streams.numbers[.stdin] else { return }
                let headers = [SPDYHeader.port: "\(port)", SPDYHeader.requestID: "0"]
                for (stream, type) in [(error, "error"), (data, "data")] {
                    let named = headers.merging([SPDYHeader.streamType: type]) { $1 }
                    try await writer.send(.synStream(stream, named, fin: false))
                }
                try await writer.end(error)
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    defer { group.cancelAll() }
                    group.addTask {
                        try await Self.deliver(inbound, writer, streams, to: opened[0].outbound)
                        return true
                    }
                    group.addTask {
                        await streams.replied()
                        // A local client that resets its connection ends it like one that closes it.
                        try? await opened[0].inbound.forEach { try await writer.send(data, $0) }
                        if !Task.isCancelled { try await writer.end(data) }
                        return false
                    }
                    while let ended = try await group.next(), !ended {}
                }
            }
        }
    }

    private static func deliver(
        _ inbound: NIOAsyncChannelInboundStream<SPDYFrame>, _ writer: SPDYWriter, _ streams: ClientStreams,
        to local: DescriptorWriter
    ) async throws {
        var open: Set<RemoteCommand.Channel> = [.error, .stdin]
        var failure: [UInt8] = []
        read: for try await frame in inbound {
            switch frame {
            case .synReply(let stream, _, _): streams.reply(to: stream)
            case .data(let stream, let bytes, let fin):
                switch streams.channel(stream) {
                case .stdin: if bytes.readableBytes > 0 { try await local.write(bytes) }
                case .error: if failure.count < 4096 { failure += bytes.readableBytesView }
                default: continue
                }
                if fin, let channel = streams.channel(stream) { open.remove(channel) }
            case .headers(let stream, _, true), .rstStream(let stream, _):
                if let channel = streams.channel(stream) { open.remove(channel) }
            case .ping(let number): if number % 2 == 0 { try await writer.send(.ping(number)) }
            case .goAway: break read
            case .headers, .synStream, .settings, .windowUpdate: continue
            }
            if open.isEmpty { break }
        }
        if !failure.isEmpty { throw CRIError(.unavailable, String(decoding: failure, as: UTF8.self)) }
    }
}
