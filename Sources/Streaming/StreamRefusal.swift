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
        let headers: HTTPHeaders = [
            "Content-Type": "text/plain; charset=utf-8", "Content-Length": "\(body.readableBytes)",
            "Connection": "close", "Cache-Control": "no-store",
        ]
        try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
        try await outbound.write(.body(.byteBuffer(body)))
        try await outbound.write(.end(nil))
    }

    private static let wanted =
        "a stream is opened by an upgrade to a WebSocket (RFC 6455, version 13) with "
        + RemoteCommand.Version.allCases.map(\.rawValue).joined(separator: " or ")

    private static func reason(_ head: HTTPRequestHead) -> (HTTPResponseStatus, String) {
        let protocols = RemoteCommand.Version.allCases.map(\.rawValue).joined(separator: " or ")
        let upgrades = head.headers[canonicalForm: "upgrade"].map { $0.lowercased() }
        if upgrades.contains(where: { $0.hasPrefix("spdy/") }) {
            return (
                .badRequest,
                "SPDY/3.1 streams are not supported yet: open a WebSocket with \(protocols) (crictl --transport websocket)"
            )
        }
        guard let target = StreamTarget(head), ["exec", "attach", "portforward"].contains(target.verb) else {
            return (.notFound, "there is no such stream")
        }
        guard upgrades.contains("websocket") else {
            return (.badRequest, wanted)
        }
        guard head.headers["sec-websocket-version"] == ["13"], head.headers["sec-websocket-key"].count == 1 else {
            return (.badRequest, "the WebSocket request is malformed: version 13 and one key are needed (RFC 6455)")
        }
        let offered = head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
        guard RemoteCommand.choose(from: offered) != nil else {
            let got = offered.isEmpty ? "none" : offered.prefix(8).joined(separator: ", ")
            return (.badRequest, "no common subprotocol: \(protocols) is needed, offered was \(got)")
        }
        if target.verb == "portforward", target.ports == nil {
            return (
                .badRequest,
                "a port-forward needs its ports in the query, as in ?port=8080 (\(PortForwardSession.maximumPorts) at most)"
            )
        }
        return (.notFound, "this stream was opened already or its address has expired; ask the runtime for a new one")
    }
}
