import NIOSSL

extension RegistryEndpoint.TLSFiles {
    private static let largestBytes = 4 << 20

    /// What the endpoint itself is spoken to with, and what anyone that it sends us to is: these get neither the client's
    /// certificate nor leave to be whoever they are.
    struct Loaded: Sendable {
        var own: TLSConfiguration
        var others: TLSConfiguration
    }

    func load() throws(ImportFailure) -> Loaded {
        var others = TLSConfiguration.makeClientConfiguration()
        others.minimumTLSVersion = .tlsv12
        for path in authorities {
            let certificates = try Self.certificates(path)
            others.additionalTrustRoots.append(.certificates(certificates))
        }
        var own = others
        if let certificate {
            own.certificateChain = try Self.certificates(certificate).map { .certificate($0) }
            own.privateKey = .privateKey(try Self.key(key ?? certificate))
        }
        if skipsVerification { own.certificateVerification = .none }
        return Loaded(own: own, others: others)
    }

    private static func certificates(_ path: String) throws(ImportFailure) -> [NIOSSLCertificate] {
        let bytes = try bytes(path)
        let found = try parsed(path, "certificate") { try NIOSSLCertificate.fromPEMBytes(bytes) }
        guard !found.isEmpty else { throw wrong(path, "no certificate in it") }
        return found
    }

    private static func key(_ path: String) throws(ImportFailure) -> NIOSSLPrivateKey {
        let bytes = try bytes(path)
        return try parsed(path, "private key") { try NIOSSLPrivateKey(bytes: bytes, format: .pem) }
    }

    private static func bytes(_ path: String) throws(ImportFailure) -> [UInt8] {
        guard let bytes = try readConfiguration(path, limit: largestBytes) else { throw wrong(path, "no such file") }
        return bytes
    }

    private static func parsed<Value>(
        _ path: String, _ what: String, _ parse: () throws -> Value
    ) throws(ImportFailure) -> Value {
        do {
            return try parse()
        } catch {
            throw wrong(path, "not a \(what) in PEM that can be read")
        }
    }

    private static func wrong(_ path: String, _ reason: String) -> ImportFailure {
        .registry(RegistryFailure(.configuration, "\(path): \(reason)", advice: "hosts.toml names it"))
    }
}
