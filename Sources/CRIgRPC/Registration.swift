import CRI
import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

extension RPCRouter {
    /// Serves one request with one answer by calling `body`.
    mutating func unary<Request: Message, Response: Message>(
        _ method: MethodDescriptor, _ body: @escaping @Sendable (Request) async throws(CRIError) -> Response
    ) {
        registerHandler(
            forMethod: method, deserializer: ProtobufDeserializer<Request>(), serializer: ProtobufSerializer<Response>()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            do {
                return StreamingServerResponse(single: ServerResponse(message: try await body(request.message)))
            } catch let error as CRIError {
                return StreamingServerResponse(error: RPCError(error))
            }
        }
    }

    /// Serves one request with the answers of the stream that `body` returns.
    mutating func stream<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (Request) async throws(CRIError) -> AsyncThrowingStream<Response, any Error>
    ) {
        registerHandler(
            forMethod: method, deserializer: ProtobufDeserializer<Request>(), serializer: ProtobufSerializer<Response>()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            do {
                let answers = try await body(request.message)
                return StreamingServerResponse { writer in
                    do {
                        for try await answer in answers { try await writer.write(answer) }
                    } catch let error as CRIError {
                        throw RPCError(error)
                    }
                    return [:]
                }
            } catch let error as CRIError {
                return StreamingServerResponse(error: RPCError(error))
            }
        }
    }
}
