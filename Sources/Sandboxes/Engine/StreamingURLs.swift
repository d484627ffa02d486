import CRI

/// Hands out one-use URLs for the streaming calls; the node adapts its streaming server to it.
///
/// The engine has already checked that the container runs (or the sandbox is ready) when it asks.
public protocol StreamingURLs: Sendable {
    func execURL(_ request: CRIExecRequest) async throws(CRIError) -> String
    func attachURL(_ request: CRIAttachRequest) async throws(CRIError) -> String
    func portForwardURL(_ request: CRIPortForwardRequest) async throws(CRIError) -> String
}
