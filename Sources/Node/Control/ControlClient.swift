import CRI
import CRIgRPC
import FoundationEssentials
import GRPCCore
import Glibc
import GRPCNIOTransportHTTP2Posix
import NodeControl

/// Speaks `kubesim.v1.Node` on a node's socket for the length of one command.
enum ControlClient {
    /// Connects, runs `body` and disconnects.
    ///
    /// - Throws: ``NodeError`` with the node's own message, or one that says that no node listens there.
    static func use<Result: Sendable>(
        socket: String,
        _ body: @Sendable @escaping (ControlNode.Client<HTTP2ClientTransport.Posix>) async throws -> Result
    ) async throws -> Result {
        guard FileManager.default.fileExists(atPath: socket) else {
            throw NodeError(
                "no node listens on \(socket): is `kubesim node` running? (--root or --socket names another)")
        }
        let transport = try HTTP2ClientTransport.Posix(
            target: .unixDomainSocket(path: socket, authority: "localhost"), transportSecurity: .plaintext)
        do {
            return try await withGRPCClient(transport: transport) { try await body(ControlNode.Client(wrapping: $0)) }
        } catch let error as RPCError {
            if error.code == .unavailable, access(socket, W_OK) != 0, errno == EACCES {
                throw NodeError("no permission for the node's socket \(socket): it is root's; try sudo")
            }
            if error.code == .unavailable {
                throw NodeError("no node answers on \(socket): is `kubesim node` running? (\(error.message))")
            }
            throw NodeError(error.message)
        }
    }
}
