import NIOHTTP1
import Synchronization

/// One connection's way from a request to its stream.
final class StreamAdmission: Sendable {
    /// What will be spoken.
    enum Version: Sendable {
        case channels(RemoteCommand.Version)
        case streams(RemoteCommand.StreamVersion)
        /// SPDY inside a WebSocket.
        case tunnel
    }

    /// What a ticket was for.
    struct Admitted: Sendable {
        var request: StreamRequest
        var ports: [UInt16]
        var version: Version
    }

    static let streamVersionHeader = "X-Stream-Protocol-Version"
    static let tunnelled = WebSocketTunnel.prefix + SPDYForwardSession.version

    private let tickets: StreamTickets
    private let whenTaken: @Sendable () -> Void
    private let state = Mutex<(head: HTTPRequestHead?, admitted: Admitted?)>((nil, nil))

    /// - Parameter whenTaken: called as soon as the connection has shown a good ticket
    init(tickets: StreamTickets, whenTaken: @escaping @Sendable () -> Void) {
        self.tickets = tickets
        self.whenTaken = whenTaken
    }

    /// What the ticket was for, once it was taken.
    var taken: Admitted? { state.withLock { $0.admitted } }

    /// The request whose upgrade was looked at.
    var head: HTTPRequestHead? { state.withLock { $0.head } }

    /// Takes the ticket of a request for a WebSocket: the headers of the answer, nil refuses it. A request that could never
    /// be served leaves its ticket alone.
    func webSocket(_ head: HTTPRequestHead) -> HTTPHeaders? {
        record(head)
        let offered = head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
        guard let target = StreamTarget(head), head.method == .GET else { return nil }
        if target.verb == "portforward", offered.contains(Self.tunnelled) {
            guard take(target, .tunnel) else { return nil }
            return ["Sec-WebSocket-Protocol": Self.tunnelled]
        }
        guard let version = RemoteCommand.choose(from: offered),
            target.verb != "portforward" || target.ports != nil, take(target, .channels(version))
        else { return nil }
        return version == .unnamed ? [:] : ["Sec-WebSocket-Protocol": version.rawValue]
    }

    /// The same for SPDY.
    func spdy(_ head: HTTPRequestHead) -> HTTPHeaders? {
        record(head)
        guard let target = StreamTarget(head) else { return nil }
        let offered = Self.streamVersions(head)
        if target.verb == "portforward" {
            guard offered.isEmpty || offered.contains(SPDYForwardSession.version), take(target, .streams(.v1)) else {
                return nil
            }
            return offered.isEmpty ? [:] : [Self.streamVersionHeader: SPDYForwardSession.version]
        }
        // The client's order counts; one that says nothing is older than the names.
        guard let version = offered.isEmpty ? .v1 : offered.lazy.compactMap(RemoteCommand.StreamVersion.init).first,
            take(target, .streams(version))
        else { return nil }
        return offered.isEmpty ? [:] : [Self.streamVersionHeader: version.rawValue]
    }

    /// The versions of streams that a client can speak.
    static func streamVersions(_ head: HTTPRequestHead) -> [String] {
        head.headers[canonicalForm: streamVersionHeader].map(String.init)
    }

    private func record(_ head: HTTPRequestHead) { state.withLock { $0.head = $0.head ?? head } }

    private func take(_ target: StreamTarget, _ version: Version) -> Bool {
        guard let request = tickets.redeem(target.token, verb: target.verb) else { return false }
        state.withLock { $0.admitted = Admitted(request: request, ports: target.ports ?? [], version: version) }
        whenTaken()
        return true
    }
}
