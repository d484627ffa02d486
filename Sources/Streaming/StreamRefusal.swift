import NIOCore
import NIOHTTP1

/// Says over HTTP why there is no stream.
enum StreamRefusal {
    static func answer(
        _ known: HTTPRequestHead?, _ inbound: NIOAsyncChannelInboundStream<HTTPServerRequestPart>,
        _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws {
        var head = known
        if head == nil {
            var parts = inbound.makeAsyncIterator()
            if case .head(let first) = try await parts.next() { head = first }
        }
        let (status, text) = head.map(reason) ?? (.badRequest, "the upgrade is malformed or unknown: \(wanted)")
        let body = ByteBuffer(string: text + "\n")
        var headers: HTTPHeaders = [
            "Content-Type": "text/plain; charset=utf-8", "Content-Length": "\(body.readableBytes)",
            "Connection": "close", "Cache-Control": "no-store",
        ]
        if status == .forbidden, let target = head.flatMap(StreamTarget.init) {
            for version in streamVersions(target.verb) { headers.add(name: acceptedVersions, value: version) }
        }
        try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
        try await outbound.write(.body(.byteBuffer(body)))
        try await outbound.write(.end(nil))
    }

    /// Where a client finds what it could have asked for (k8s.io/apimachinery/pkg/util/httpstream).
    private static let acceptedVersions = "X-Accepted-Stream-Protocol-Versions"

    private static let wanted =
        "a stream is opened by an upgrade to SPDY/3.1, or to a WebSocket (RFC 6455, version 13) with " + subprotocols

    private static let subprotocols = RemoteCommand.Version.named.map(\.rawValue).joined(separator: " or ")

    private static func streamVersions(_ verb: String) -> [String] {
        verb == "portforward"
            ? [SPDYForwardSession.version] : RemoteCommand.StreamVersion.allCases.map(\.rawValue)
    }

    private static func reason(_ head: HTTPRequestHead) -> (HTTPResponseStatus, String) {
        let upgrades = head.headers[canonicalForm: "upgrade"].map { $0.lowercased() }
        guard let target = StreamTarget(head), ["exec", "attach", "portforward"].contains(target.verb) else {
            return (.notFound, "there is no such stream")
        }
        if upgrades.contains("websocket"), head.method == .GET {
            if let reason = webSocketReason(head, target) { return reason }
        } else if upgrades.contains("spdy/3.1") {
            if let reason = spdyReason(head, target) { return reason }
        } else {
            return (.badRequest, wanted)
        }
        return (.notFound, "this stream was opened already or its address has expired; ask the runtime for a new one")
    }

    private static func webSocketReason(
        _ head: HTTPRequestHead, _ target: StreamTarget
    ) -> (HTTPResponseStatus, String)? {
        guard head.headers["sec-websocket-version"] == ["13"], head.headers["sec-websocket-key"].count == 1 else {
            return (.badRequest, "the WebSocket request is malformed: version 13 and one key are needed (RFC 6455)")
        }
        let offered = head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
        if target.verb == "portforward", offered.contains(StreamAdmission.tunnelled) { return nil }
        guard RemoteCommand.choose(from: offered) != nil else {
            let got = offered.prefix(8).joined(separator: ", ")
            return (.badRequest, "no common subprotocol: \(subprotocols) is needed, offered was \(got)")
        }
        if target.verb == "portforward", target.ports == nil {
            return (
                .badRequest,
                "a port-forward needs its ports in the query, as in ?port=8080 (\(PortForwardSession.maximumPorts) at most)"
            )
        }
        return nil
    }

    private static func spdyReason(
        _ head: HTTPRequestHead, _ target: StreamTarget
    ) -> (HTTPResponseStatus, String)? {
        let (offered, spoken) = (StreamAdmission.streamVersions(head), streamVersions(target.verb))
        guard !offered.isEmpty, !spoken.contains(where: offered.contains) else { return nil }
        return (
            .forbidden,
            "no common \(StreamAdmission.streamVersionHeader): \(spoken.joined(separator: " or ")) is needed, "
                + "offered was \(offered.prefix(8).joined(separator: ", "))"
        )
    }
}
