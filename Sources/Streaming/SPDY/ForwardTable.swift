import NIOCore

/// The two streams of one connection to a port.
struct ForwardPair: Sendable {
    let port: UInt16
    let data: UInt32
    let error: UInt32
    /// What the client sends.
    let inbox: StreamInbox<ByteBuffer>
    /// Ends when the client takes back what it asked for.
    let cancelled: AsyncStream<Void>
    fileprivate let cancel: AsyncStream<Void>.Continuation
}

/// The streams of a port-forward's SPDY connection.
struct ForwardTable {
    enum Answer {
        case refused(SPDYFrame.Reset)
        /// The stream is open; its other half is still to come.
        case half
        case whole(ForwardPair)
    }

    private struct Half {
        var port: UInt16
        var data: UInt32?
        var error: UInt32?
        let inbox: StreamInbox<ByteBuffer>
    }

    private let budget: ByteBudget
    private var peer = SPDYPeer(mostStreams: SPDYLimits.forwardStreams)
    private var halves: [String: Half] = [:]
    private var pairs: [UInt32: ForwardPair] = [:]
    /// Of every data stream that is open.
    private var inboxes: [UInt32: StreamInbox<ByteBuffer>] = [:]

    init(_ budget: ByteBudget) { self.budget = budget }

    private var openStreams: Int { 2 * pairs.count + 2 * halves.count }

    /// - Throws: ``SPDYViolation``
    mutating func open(_ stream: UInt32, _ headers: SPDYFrame.Headers, fin: Bool) throws -> Answer {
        if let reason = try peer.refusal(of: stream, open: openStreams) { return .refused(reason) }
        let type = headers[SPDYHeader.streamType]
        guard let port = headers[SPDYHeader.port].flatMap({ UInt16($0) }), port > 0, type == "data" || type == "error"
        else { return .refused(try peer.refused(.protocolError)) }
        let isData = type == "data"
        // Clients that are very old give no number: they open the error's stream, and then the data's.
        let id = headers[SPDYHeader.requestID] ?? "stream \(isData ? Int64(stream) - 2 : Int64(stream))"
        var half = halves[id] ?? Half(port: port, inbox: StreamInbox(budget))
        guard half.port == port, (isData ? half.data : half.error) == nil else {
            return .refused(try peer.refused(.streamInUse))
        }
        if isData {
            half.data = stream
            inboxes[stream] = half.inbox
            if fin { half.inbox.finish() }
        } else {
            half.error = stream
        }
        guard let data = half.data, let error = half.error else {
            halves[id] = half
            return .half
        }
        halves[id] = nil
        let (cancelled, cancel) = AsyncStream.makeStream(of: Void.self)
        let pair = ForwardPair(
            port: port, data: data, error: error, inbox: half.inbox, cancelled: cancelled, cancel: cancel)
        pairs[data] = pair
        return .whole(pair)
    }

    /// Bytes of a stream; those of one that is over are dropped.
    func take(_ stream: UInt32, _ bytes: ByteBuffer, fin: Bool) {
        guard let inbox = inboxes[stream] else { return }
        if bytes.readableBytes > 0 { inbox.push(bytes, bytes: bytes.readableBytes) }
        if fin { inbox.finish() }
    }

    /// The client wants no more of a stream.
    mutating func reset(_ stream: UInt32) {
        inboxes[stream]?.close()
        if let pair = pairs[stream] {
            pair.cancel.finish()
        } else {
            for (id, half) in halves where half.data == stream || half.error == stream {
                if let data = half.data { inboxes[data] = nil }
                halves[id] = nil
            }
        }
    }

    /// A connection is over.
    mutating func remove(_ pair: ForwardPair) {
        pairs[pair.data] = nil
        inboxes[pair.data] = nil
    }
}
