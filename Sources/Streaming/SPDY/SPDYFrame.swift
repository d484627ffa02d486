import NIOCore

/// A frame of SPDY/3.1, as far as Kubernetes speaks it (moby/spdystream): streams are opened, answered, filled and ended.
///
/// Flow control is TCP's: what spdystream sends doesn't heed the peer's windows, and it sends no updates of its own, so
/// that whoever waited for one would wait for ever. Windows are read and passed over.
enum SPDYFrame: Sendable, Equatable {
    /// Names are lower case.
    typealias Headers = [String: String]

    case synStream(UInt32, Headers, fin: Bool)
    case synReply(UInt32, Headers, fin: Bool)
    case headers(UInt32, Headers, fin: Bool)
    case rstStream(UInt32, Reset)
    /// A part of a frame, or all of it; `fin` comes with its last part.
    case data(UInt32, ByteBuffer, fin: Bool)
    case settings
    case ping(UInt32)
    case goAway(lastStream: UInt32, Farewell)
    case windowUpdate(UInt32, UInt32)

    /// Why a stream ends at once (2.6.3).
    struct Reset: RawRepresentable, Sendable, Equatable {
        let rawValue: UInt32
        static let protocolError = Reset(rawValue: 1)
        static let invalidStream = Reset(rawValue: 2)
        static let refusedStream = Reset(rawValue: 3)
        static let cancel = Reset(rawValue: 5)
        static let streamInUse = Reset(rawValue: 8)
    }

    /// Why a connection ends (2.6.6).
    struct Farewell: RawRepresentable, Sendable, Equatable {
        let rawValue: UInt32
        static let ok = Farewell(rawValue: 0)
        static let protocolError = Farewell(rawValue: 1)
    }

    /// The types of control frames on the wire.
    enum Kind: UInt16 {
        case synStream = 1
        case synReply = 2
        case rstStream = 3
        case settings = 4
        case ping = 6
        case goAway = 7
        case headers = 8
        case windowUpdate = 9
    }

    static let version: UInt16 = 3
    static let finFlag: UInt8 = 1
    /// The longest payload that a frame's head can name.
    static let longestData = 1 << 24 - 1
}

/// What a peer may send.
enum SPDYLimits {
    /// Bytes of a control frame's payload.
    static let controlBytes = 16 << 10
    /// Bytes of a block of headers once it is inflated.
    static let headerBytes = 16 << 10
    /// Headers of a block.
    static let headers = 64
    /// Bytes that have come on a connection and that nobody has taken yet; the connection isn't read then.
    static let waitingBytes = 1 << 20
    /// Streams of an exec or attach; it needs five.
    static let commandStreams = 8
    /// Streams of a port-forward: two a connection.
    static let forwardStreams = 512
    /// Streams that were refused, at which the peer has had enough patience.
    static let refusals = 64
}

/// A peer that broke SPDY's rules; the connection ends.
struct SPDYViolation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = "SPDY: " + description }
}
