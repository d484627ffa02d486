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
        self.init(code: code ?? .unknown, message: error.message)
    }
}
