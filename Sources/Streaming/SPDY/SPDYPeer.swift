/// The other side of a SPDY connection, as far as it isn't about one stream: the numbers of the streams that it opens, its
/// pings, and its patience with refusals.
struct SPDYPeer {
    /// How many streams it may have open.
    let mostStreams: Int
    private var lastStream: UInt32 = 0
    private var refusals = 0

    init(mostStreams: Int) { self.mostStreams = mostStreams }

    /// Why a stream is refused; nil accepts it.
    ///
    /// - Throws: ``SPDYViolation`` for a number that can't be, and for one refusal too many.
    mutating func refusal(of stream: UInt32, open: Int) throws -> SPDYFrame.Reset? {
        guard stream % 2 == 1, stream > lastStream else {
            throw SPDYViolation("stream \(stream) can't come after \(lastStream)")
        }
        lastStream = stream
        return open < mostStreams ? nil : try refused(.refusedStream)
    }

    /// Counts a refusal.
    mutating func refused(_ reason: SPDYFrame.Reset) throws -> SPDYFrame.Reset {
        refusals += 1
        guard refusals <= SPDYLimits.refusals else { throw SPDYViolation("too many streams were refused") }
        return reason
    }
}

/// The words of Kubernetes' streams (k8s.io/api/core/v1).
enum SPDYHeader {
    static let streamType = "streamtype"
    static let port = "port"
    static let requestID = "requestid"
}
