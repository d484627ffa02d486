import CRI
import NIOSSL

/// How a client knows the server of its streams, and says who it is.
public struct StreamingClientTLS: Sendable, Equatable {
    /// The name that the server's certificate must have; no address.
    public var serverName: String?
    /// The authority of the server's certificate, in PEM; the system's authorities without it.
    public var authority: String?
    /// The client's own certificate, and its key, in PEM.
    public var certificate: String?
    public var key: String?

    public init(serverName: String? = nil, authority: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.serverName = serverName
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }

    /// As with crictl: who names neither an authority nor a certificate wants an encrypted stream from whoever answers, and
    /// the secret is in the URL.
    var isTrusting: Bool { authority == nil && certificate == nil && key == nil }

    func clientContext() throws(CRIError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if isTrusting { configuration.certificateVerification = .none }
        if let authority { configuration.trustRoots = .certificates(try StreamingTLS.certificates(authority)) }
        if let certificate, let key {
            configuration.certificateChain = try StreamingTLS.chain(certificate)
            configuration.privateKey = .privateKey(try StreamingTLS.key(key))
        }
        return try StreamingTLS.context(configuration)
    }
}
