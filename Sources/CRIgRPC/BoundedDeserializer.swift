import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

/// Reads a request that is no larger than the CRI allows.
///
/// The transport's own limit answers with a reset stream, which says nothing; so it is set higher, and what lies between is
/// refused here with the status that grpc-go has for it.
struct BoundedDeserializer<Request: Message>: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Request {
        let size = bytes.withUnsafeBytes(\.count)
        guard size <= CRIServer.largestMessage else {
            throw RPCError(
                code: .resourceExhausted,
                message: "the request has \(size) bytes, and \(CRIServer.largestMessage) are the most")
        }
        return try ProtobufDeserializer<Request>().deserialize(bytes)
    }
}
