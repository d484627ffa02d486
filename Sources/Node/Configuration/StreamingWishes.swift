import Streaming

/// Where exec, attach and port-forward are served, and with which certificate.
public struct StreamingWishes: Sendable, Equatable {
    /// `127.0.0.1:0`: an address, and a port or 0 for any.
    public var address: String?
    /// Files in PEM; with them the streams are https.
    public var certificate: String?
    public var key: String?
    /// Those who open streams must have a certificate of this authority.
    public var clientAuthority: String?

    func configuration() throws(NodeError) -> StreamingServer.Configuration {
        var configuration = StreamingServer.Configuration()
        if let address {
            guard let colon = address.lastIndex(of: ":"), colon != address.startIndex,
                let port = UInt16(address[address.index(after: colon)...])
            else { throw NodeError("streamingAddress: \"\(address)\" is not like 127.0.0.1:0 or [::1]:10010") }
            let host = address[..<colon]
            configuration.host = String(host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host)
            configuration.port = Int(port)
        }
        switch (certificate, key) {
        case (nil, nil):
            guard clientAuthority == nil else {
                throw NodeError("streamingTLSClientCA needs streamingTLSCert and streamingTLSKey")
            }
        case (let certificate?, let key?):
            configuration.tls = StreamingTLS(certificate: certificate, key: key, clientAuthority: clientAuthority)
        default: throw NodeError("streamingTLSCert and streamingTLSKey are needed together")
        }
        return configuration
    }
}
