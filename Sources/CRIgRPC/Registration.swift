import CRI
import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

extension RPCRouter {
    /// Serves one request with one answer by calling `body`, which is cancelled when nobody waits for the answer any more.
    mutating func unary<Request: Message, Response: Message>(
        _ method: MethodDescriptor, _ body: @escaping @Sendable (Request) async throws(CRIError) -> Response
    ) {
        registerHandler(
            forMethod: method, deserializer: BoundedDeserializer<Request>(), serializer: ProtobufSerializer<Response>()
        ) { request, context in
            let request = try await ServerRequest(stream: request)
            do {
                let answer = try await whileAwaited(context) { try await body(request.message) }
                return StreamingServerResponse(single: ServerResponse(message: answer))
            } catch let error as CRIError {
                return StreamingServerResponse(error: RPCError(error, context, request.metadata))
            }
        }
    }

    /// Serves one request with the answers of the stream that `body` returns; the stream ends with its reader.
    mutating func stream<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (Request) async throws(CRIError) -> AsyncThrowingStream<Response, any Error>
    ) {
        registerHandler(
            forMethod: method, deserializer: BoundedDeserializer<Request>(), serializer: ProtobufSerializer<Response>()
        ) { request, context in
            let request = try await ServerRequest(stream: request)
            do {
                let answers = try await whileAwaited(context) { try await body(request.message) }
                return StreamingServerResponse { writer in
                    do {
                        try await whileAwaited(context) {
                            for try await answer in answers { try await writer.write(answer) }
                        }
                    } catch let error as CRIError {
                        throw RPCError(error)
                    }
                    return [:]
                }
            } catch let error as CRIError {
                return StreamingServerResponse(error: RPCError(error, context, request.metadata))
            }
        }
    }
}

/// Carries out `work` for a caller: it is cancelled with the call, because the caller went away, its time is up, or the
/// server ends. gRPC tells of the first two by a handle of its own, and lets the task of the call run on.
private func whileAwaited<Result: Sendable>(
    _ context: ServerContext, _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    let task = Task { try await work() }
    return try await withTaskCancellationHandler {
        try await withRPCCancellationHandler {
            // A handler that comes too late isn't called.
            if context.cancellation.isCancelled { task.cancel() }
            return try await task.value
        } onCancelRPC: {
            task.cancel()
        }
    } onCancel: {
        task.cancel()
    }
}

extension RPCError {
    /// The answer of a call that failed. One that was cancelled and had a time limit has exceeded it: a caller that left by
    /// itself reads no answer.
    fileprivate init(_ error: CRIError, _ context: ServerContext, _ metadata: Metadata) {
        guard context.cancellation.isCancelled, metadata[stringValues: "grpc-timeout"].contains(where: { _ in true })
        else {
            self.init(error)
            return
        }
        self.init(code: .deadlineExceeded, message: error.message)
    }
}
