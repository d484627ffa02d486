import CRI
import GRPCCore

extension CRIError {
    /// What a gRPC status says, in the CRI's words.
    init(_ error: RPCError) {
        self.init(Code(rawValue: error.code.rawValue) ?? .unknown, error.message)
    }

    /// Any error of a call, whoever threw it.
    init(wrapping error: any Error) {
        switch error {
        case let error as CRIError: self = error
        case let error as RPCError: self.init(error)
        case is CancellationError: self.init(.cancelled, "the call was cancelled")
        default: self.init(.unknown, String(describing: error))
        }
    }
}

extension RPCError {
    /// The gRPC status that carries this error across the socket.
    init(_ error: CRIError) {
        let code = Status.Code(rawValue: error.code.rawValue).flatMap(RPCError.Code.init)
        self.init(code: code ?? .unknown, message: Self.clipped(error.message))
    }

    /// What a message may have, in bytes: it goes in a header, and clients refuse headers of more than 8 to 16 KiB together
    /// (grpc's `max_metadata_size`), where each byte that is no ASCII takes three.
    private static let longestMessage = 2048

    /// A long text without its middle: what went wrong stands at one end or the other.
    private static func clipped(_ text: String) -> String {
        let bytes = text.utf8
        if bytes.count <= longestMessage { return text }
        let head = String(decoding: bytes.prefix(longestMessage * 3 / 4), as: UTF8.self)
        let tail = String(decoding: bytes.suffix(longestMessage / 4), as: UTF8.self)
        return "\(head) … \(tail)"
    }
}
