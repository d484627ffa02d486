import NIOCore

/// Writes frames.
struct SPDYFrameEncoder: MessageToByteEncoder {
    typealias OutboundIn = SPDYFrame

    private let deflater: HeaderDeflater

    init() throws { deflater = try HeaderDeflater() }

    func encode(data frame: SPDYFrame, out: inout ByteBuffer) throws {
        switch frame {
        case .synStream(let stream, let headers, let fin):
            let block = try deflater.deflate(HeaderBlock.write(headers))
            control(.synStream, length: 10 + block.count, fin: fin, &out)
            out.writeInteger(stream)
            out.writeRepeatingByte(0, count: 6)
            out.writeBytes(block)
        case .synReply(let stream, let headers, let fin): try answer(.synReply, stream, headers, fin, &out)
        case .headers(let stream, let headers, let fin): try answer(.headers, stream, headers, fin, &out)
        case .rstStream(let stream, let reason): control(.rstStream, [stream, reason.rawValue], &out)
        case .data(let stream, let bytes, let fin): write(stream, bytes, fin: fin, &out)
        case .settings: control(.settings, [0], &out)
        case .ping(let number): control(.ping, [number], &out)
        case .goAway(let last, let reason): control(.goAway, [last, reason.rawValue], &out)
        case .windowUpdate(let stream, let bytes): control(.windowUpdate, [stream, bytes], &out)
        }
    }

    private func write(_ stream: UInt32, _ bytes: ByteBuffer, fin: Bool, _ out: inout ByteBuffer) {
        var rest = bytes
        repeat {
            let part = rest.readSlice(length: min(rest.readableBytes, SPDYFrame.longestData)) ?? ByteBuffer()
            out.writeInteger(stream)
            let flags: UInt32 = fin && rest.readableBytes == 0 ? UInt32(SPDYFrame.finFlag) << 24 : 0
            out.writeInteger(flags | UInt32(part.readableBytes))
            out.writeImmutableBuffer(part)
        } while rest.readableBytes > 0
    }

    private func answer(
        _ kind: SPDYFrame.Kind, _ stream: UInt32, _ headers: SPDYFrame.Headers, _ fin: Bool, _ out: inout ByteBuffer
    ) throws {
        let block = try deflater.deflate(HeaderBlock.write(headers))
        control(kind, length: 4 + block.count, fin: fin, &out)
        out.writeInteger(stream)
        out.writeBytes(block)
    }

    private func control(_ kind: SPDYFrame.Kind, _ words: [UInt32], _ out: inout ByteBuffer) {
        control(kind, length: 4 * words.count, fin: false, &out)
        for word in words { out.writeInteger(word) }
    }

    private func control(_ kind: SPDYFrame.Kind, length: Int, fin: Bool, _ out: inout ByteBuffer) {
        out.writeInteger(0x8000 | SPDYFrame.version)
        out.writeInteger(kind.rawValue)
        out.writeInteger((fin ? UInt32(SPDYFrame.finFlag) << 24 : 0) | UInt32(length))
    }
}
