import NIOCore
import Testing

@testable import Streaming

/// A client of SPDY that says exactly what a test wants said.
final class SPDYClient {
    private let raw: RawClient
    private let encoder: SPDYFrameEncoder
    private var decoder: SPDYFrameDecoder
    private var buffer = ByteBuffer()

    init(_ url: String, versions: [String] = ["v4.channel.k8s.io"]) async throws {
        raw = try RawClient(url)
        encoder = try SPDYFrameEncoder()
        decoder = try SPDYFrameDecoder()
        let answer = await raw.upgradeToSPDY(url, versions: versions)
        try #require(answer.hasPrefix("HTTP/1.1 101"), "\(answer)")
        if let version = versions.first {
            #expect(answer.lowercased().contains("\r\nx-stream-protocol-version: \(version)\r\n"))
        }
        #expect(answer.contains("SPDY/3.1"))
    }

    func send(_ frames: SPDYFrame...) async throws {
        var out = ByteBuffer()
        for frame in frames { try encoder.encode(data: frame, out: &out) }
        await raw.send(Array(out.readableBytesView))
    }

    /// Whether the bytes went before everything between us and the server was full.
    func sendUnlessFull(_ bytes: [UInt8]) async -> Bool { await raw.sendUnlessFull(bytes) }

    func send(bytes: [UInt8]) async { await raw.send(bytes) }

    /// The next whole frame; nil at the end.
    func next() async throws -> SPDYFrame? {
        guard let head = await raw.read(8) else { return nil }
        let length = Int(head[5]) << 16 | Int(head[6]) << 8 | Int(head[7])
        guard let rest = length == 0 ? [] : await raw.read(length) else { return nil }
        buffer.writeBytes(head + rest)
        return try decoder.next(&buffer)
    }

    /// Opens the streams of a command, in the order of client-go.
    func open(_ types: String..., headers: SPDYFrame.Headers = [:]) async throws {
        for (index, type) in types.enumerated() {
            let stream = UInt32(2 * index + 1)
            try await send(.synStream(stream, headers.merging(["streamtype": type]) { $1 }, fin: false))
            #expect(try await next() == .synReply(stream, [:], fin: false))
        }
    }

    /// Everything up to the end: what each stream got, which of them were ended or reset, and the goodbye.
    func collect() async throws -> Collected {
        var all = Collected()
        while let frame = try await next() {
            switch frame {
            case .data(let stream, let bytes, let fin):
                all.text[stream, default: ""] += String(buffer: bytes)
                if fin { all.ended.insert(stream) }
            case .rstStream(let stream, let reason): all.resets[stream] = reason
            case .goAway(_, let reason): all.goodbye = reason
            default: continue
            }
        }
        return all
    }

    struct Collected {
        var text: [UInt32: String] = [:]
        var ended: Set<UInt32> = []
        var resets: [UInt32: SPDYFrame.Reset] = [:]
        var goodbye: SPDYFrame.Farewell?
    }
}
