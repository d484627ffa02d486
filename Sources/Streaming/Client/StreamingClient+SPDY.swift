import CRI
import NIOCore
import NIOHTTP1

extension StreamingClient {
    private enum Opened: Sendable {
        case stream(SPDYChannel, version: String?)
        case refused(Answer)
    }

    /// Asks for SPDY/3.1 and for versions of what is spoken on its streams, best first.
    private struct Upgrader: NIOTypedHTTPClientProtocolUpgrader {
        let supportedProtocol = "SPDY/3.1"
        let requiredUpgradeHeaders: [String] = []
        let versions: [String]

        func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {
            for version in versions {
                upgradeRequestHeaders.add(name: StreamAdmission.streamVersionHeader, value: version)
            }
        }

        func shouldAllowUpgrade(upgradeResponse: HTTPResponseHead) -> Bool { true }

        func upgrade(channel: any Channel, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Opened> {
            channel.eventLoop.makeCompletedFuture {
                .stream(
                    try SPDYChannel.wrap(channel),
                    version: upgradeResponse.headers.first(name: StreamAdmission.streamVersionHeader))
            }
        }
    }

    /// Connects, asks for SPDY and hands it to `body`, with the version that the server has chosen.
    ///
    /// - Throws: `.unavailable` when nobody answers, `.failedPrecondition` with the server's words when it refuses.
    func openSPDY<Result: Sendable>(
        _ versions: [String],
        _ body: (NIOAsyncChannelInboundStream<SPDYFrame>, SPDYWriter, String?) async throws -> Result
    ) async throws -> Result {
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: target, headers: ["Host": authority, "Content-Length": "0"])
        switch try await connect(head, Upgrader(versions: versions), refused: { .refused($0) }) {
        case .stream(let channel, let version):
            return try await channel.executeThenClose { inbound, outbound in
                let writer = SPDYWriter(outbound: outbound)
                let result = try await body(inbound, writer, version)
                await writer.close(.ok)
                return result
            }
        case .refused(let answer): throw try await refusal(answer)
        }
    }
}
