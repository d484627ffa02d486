import CRI
import Sandboxes
import ServiceLifecycle
import Streaming

/// Lets the engine hand out the streaming server's URLs without knowing of it.
struct StreamingAdapter: StreamingURLs {
    let server: StreamingServer

    func execURL(_ request: CRIExecRequest) async throws(CRIError) -> String { try server.exec(request).url }

    func attachURL(_ request: CRIAttachRequest) async throws(CRIError) -> String { try server.attach(request).url }

    func portForwardURL(_ request: CRIPortForwardRequest) async throws(CRIError) -> String {
        try server.portForward(request).url
    }
}

extension Engine: StreamingRuntime {
    public func resizeTerminal(container: String, columns: UInt16, rows: UInt16) async throws(CRIError) {
        try await resizeTerminal(container: container, exec: nil, columns: columns, rows: rows)
    }
}

/// A part of the node that runs until it is cancelled, as a service that ends when the node does.
struct CancelledService: Service {
    let name: String
    let body: @Sendable () async throws -> Void

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do { try await body() } catch {
                // Libraries wrap the cancellation that ends them in errors of their own.
                guard Task.isCancelled else { throw NodeError("\(name): \(error)") }
            }
        }
    }
}
