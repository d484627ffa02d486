import CRI
import NIOSSL

/// The files that make streams https.
public struct StreamingTLS: Sendable, Equatable {
    /// A certificate, and those that lead from it to its authority, in PEM.
    public var certificate: String
    /// The certificate's key, in PEM.
    public var key: String
    /// The authority of those who may open streams, in PEM: with it, clients need a certificate, too.
    public var clientAuthority: String?

    public init(certificate: String, key: String, clientAuthority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
    }

    /// - Throws: `.invalidArgument` that names the file which can't be used.
    func serverContext() throws(CRIError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try Self.chain(certificate), privateKey: .privateKey(try Self.key(key)))
        configuration.minimumTLSVersion = .tlsv12
        if let clientAuthority {
            configuration.trustRoots = .certificates(try Self.certificates(clientAuthority))
            configuration.certificateVerification = .noHostnameVerification
        }
        return try Self.context(configuration)
    }

    static func context(_ configuration: TLSConfiguration) throws(CRIError) -> NIOSSLContext {
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw CRIError(.invalidArgument, "the certificate and the key of the streams don't fit: \(error)")
        }
    }

    static func chain(_ path: String) throws(CRIError) -> [NIOSSLCertificateSource] {
        try certificates(path).map { .certificate($0) }
    }

    static func certificates(_ path: String) throws(CRIError) -> [NIOSSLCertificate] {
        do {
            let all = try NIOSSLCertificate.fromPEMFile(path)
            if !all.isEmpty { return all }
        } catch {
            throw CRIError(.invalidArgument, "no certificate in \(path): \(error)")
        }
        throw CRIError(.invalidArgument, "no certificate in \(path)")
    }

    static func key(_ path: String) throws(CRIError) -> NIOSSLPrivateKey {
        do { return try NIOSSLPrivateKey(file: path, format: .pem) } catch {
            throw CRIError(.invalidArgument, "no key in \(path): \(error)")
        }
    }
}
