import NIOCore

/// Reads frames. Data is handed on as it comes, a frame in several parts if need be, so that its length needs no limit.
struct SPDYFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = SPDYFrame

    /// A data frame whose bytes are still coming.
    private struct Data {
        let stream: UInt32
        let isLast: Bool
        var left: Int
    }

    private let inflater: HeaderInflater
    private var data: Data?

    init() throws { inflater = try HeaderInflater() }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let frame = try next(&buffer) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }

    /// The next frame, or part of one; nil when more bytes are needed.
    mutating func next(_ buffer: inout ByteBuffer) throws -> SPDYFrame? {
        if data != nil { return part(&buffer) }
        guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self),
            let second = buffer.getInteger(at: buffer.readerIndex + 4, as: UInt32.self)
        else { return nil }
        let flags = UInt8(second >> 24)
        let length = Int(second & 0xFF_FFFF)
        guard first & 0x8000_0000 != 0 else {
            guard first != 0 else { throw SPDYViolation("data for stream 0") }
            buffer.moveReaderIndex(forwardBy: 8)
            data = Data(stream: first, isLast: flags & SPDYFrame.finFlag != 0, left: length)
            return part(&buffer)
        }
        let version = UInt16(first >> 16 & 0x7FFF)
        guard version == SPDYFrame.version else { throw SPDYViolation("a frame of version \(version)") }
        guard length <= SPDYLimits.controlBytes else {
            throw SPDYViolation("a control frame of \(length) bytes; \(SPDYLimits.controlBytes) are the most")
        }
        guard buffer.readableBytes >= 8 + length else { return nil }
        buffer.moveReaderIndex(forwardBy: 8)
        guard var payload = buffer.readSlice(length: length),
            let kind = SPDYFrame.Kind(rawValue: UInt16(first & 0xFFFF))
        else { throw SPDYViolation("a control frame of type \(first & 0xFFFF)") }
        return try control(kind, fin: flags & SPDYFrame.finFlag != 0, &payload)
    }

    private mutating func part(_ buffer: inout ByteBuffer) -> SPDYFrame? {
        guard var frame = data else { return nil }
        if frame.left > 0, buffer.readableBytes == 0 { return nil }
        let bytes = buffer.readSlice(length: min(frame.left, buffer.readableBytes)) ?? ByteBuffer()
        frame.left -= bytes.readableBytes
        data = frame.left > 0 ? frame : nil
        return .data(frame.stream, bytes, fin: frame.isLast && frame.left == 0)
    }

    private func control(_ kind: SPDYFrame.Kind, fin: Bool, _ payload: inout ByteBuffer) throws -> SPDYFrame {
        switch kind {
        case .synStream:
            let stream = try stream(&payload)
            // The stream that it belongs to, its priority and its slot mean nothing here.
            guard payload.readSlice(length: 6) != nil else { throw SPDYViolation("a SYN_STREAM that is cut off") }
            return .synStream(stream, try headers(payload), fin: fin)
        case .synReply: return .synReply(try stream(&payload), try headers(payload), fin: fin)
        case .headers: return .headers(try stream(&payload), try headers(payload), fin: fin)
        case .rstStream:
            return .rstStream(try stream(&payload), SPDYFrame.Reset(rawValue: try integer(&payload)))
        case .settings: return .settings
        case .ping: return .ping(try integer(&payload))
        case .goAway:
            let last = try integer(&payload)
            return .goAway(lastStream: last & 0x7FFF_FFFF, SPDYFrame.Farewell(rawValue: try integer(&payload)))
        case .windowUpdate: return .windowUpdate(try integer(&payload) & 0x7FFF_FFFF, try integer(&payload))
        }
    }

    /// Every block is inflated, whatever becomes of its frame: the next one builds on it.
    private func headers(_ payload: ByteBuffer) throws -> SPDYFrame.Headers {
        try HeaderBlock.read(try inflater.inflate(Array(payload.readableBytesView)))
    }

    private func stream(_ payload: inout ByteBuffer) throws -> UInt32 {
        let stream = try integer(&payload) & 0x7FFF_FFFF
        guard stream != 0 else { throw SPDYViolation("a frame for stream 0") }
        return stream
    }

    private func integer(_ payload: inout ByteBuffer) throws -> UInt32 {
        guard let value = payload.readInteger(as: UInt32.self) else { throw SPDYViolation("a frame that is cut off") }
        return value
    }
}
