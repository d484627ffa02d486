import CRI
import Logging
import NIOCore
import Synchronization

/// Serves a port-forward on a SPDY connection: each connection to a port has a stream for its bytes and one for an error,
/// which belong together by their `requestid` (k8s.io/client-go/tools/portforward).
struct SPDYForwardSession: Sendable {
    /// The name of what is spoken.
    static let version = "portforward.k8s.io"

    let sandbox: String
    let runtime: any StreamingRuntime
    let logger: Logger

    func serve(_ inbound: NIOAsyncChannelInboundStream<SPDYFrame>, _ writer: SPDYWriter) async throws {
        let budget = ByteBudget(limit: SPDYLimits.waitingBytes)
        let table = SharedForwardTable(budget)
        try await withThrowingDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            for try await frame in inbound {
                switch frame {
                case .synStream(let stream, let headers, let fin):
                    let answer = try table.state.withLock { try $0.open(stream, headers, fin: fin) }
                    switch answer {
                    case .refused(let reason): try await writer.send(.rstStream(stream, reason))
                    case .half: try await writer.send(.synReply(stream, [:], fin: false))
                    case .whole(let pair):
                        try await writer.send(.synReply(stream, [:], fin: false))
                        group.addTask {
                            // Only the connection's end is an error here, and the reader sees that, too.
                            try? await forward(pair, writer)
                            table.state.withLock { $0.remove(pair) }
                        }
                    }
                case .data(let stream, let bytes, let fin): table.state.withLock { $0.take(stream, bytes, fin: fin) }
                case .rstStream(let stream, _): table.state.withLock { $0.reset(stream) }
                case .headers(let stream, _, let fin): table.state.withLock { $0.take(stream, ByteBuffer(), fin: fin) }
                case .ping(let number): if number % 2 == 1 { try await writer.send(.ping(number)) }
                // It opens no more connections; those that are open go on.
                case .goAway, .synReply, .settings, .windowUpdate: continue
                }
                await budget.room()
            }
        }
    }

    /// Serves one connection, until both sides have ended or the client takes it back.
    private func forward(_ pair: ForwardPair, _ writer: SPDYWriter) async throws {
        defer { pair.inbox.close() }
        let socket: Int32
        do {
            socket = try await runtime.connect(sandbox: sandbox, port: pair.port)
        } catch {
            // The words before the bytes' end: a client that sees that looks for no more.
            try await writer.send(pair.error, Array(error.message.utf8), fin: true)
            try await writer.end(pair.data)
            return
        }
        try await withDescriptors([(socket, .socket)]) { opened in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                defer { group.cancelAll() }
                group.addTask {
                    while let bytes = await pair.inbox.next() {
                        // The pod may have closed its half; what comes after that has no reader.
                        do { try await opened[0].outbound.write(bytes) } catch { pair.inbox.close() }
                    }
                    opened[0].outbound.finish()
                    return false
                }
                group.addTask {
                    // A connection that the pod resets ends like one that it closes.
                    do {
                        try await opened[0].inbound.forEach { try await writer.send(pair.data, $0) }
                    } catch is CancellationError { return false } catch {
                        logger.debug("a forwarded connection broke", metadata: ["error": "\(error)"])
                    }
                    try await writer.end(pair.data)
                    // Clients wait for this end, too, before they let go of what they still send.
                    try await writer.end(pair.error)
                    return false
                }
                group.addTask {
                    for await _ in pair.cancelled {}
                    return true
                }
                for _ in 0..<2 { if try await group.next() == true { return } }
            }
        }
    }
}

private final class SharedForwardTable: Sendable {
    let state: Mutex<ForwardTable>

    init(_ budget: ByteBudget) { state = Mutex(ForwardTable(budget)) }
}
