import ArgumentParser
import Streaming

/// How a stream is opened; the same for exec, attach and port-forward.
struct StreamOptions: ParsableArguments {
    @Option(name: [.customShort("r"), .long], help: "Transport protocol to use, one of: spdy|websocket")
    var transport = "spdy"
    @Option(
        name: [.customLong("tls-sni"), .customLong("tls-server-name")],
        help: "Server name used in the TLS client to check server certificates against")
    var tlsServerName = "localhost"
    @Option(help: "Path to the streaming TLS CA certificate") var tlsCa: String?
    @Option(help: "Path to the streaming TLS certificate") var tlsCert: String?
    @Option(help: "Path to the streaming TLS key") var tlsKey: String?

    func validate() throws {
        guard StreamingClient.Transport(rawValue: transport) != nil else {
            throw ValidationError("--transport is spdy or websocket, not \(transport)")
        }
        guard (tlsCert == nil) == (tlsKey == nil), tlsCa == nil || tlsCert != nil else {
            throw ValidationError("--tls-cert and --tls-key are needed together, only --tls-ca is optional")
        }
    }

    func client(_ url: String) throws -> StreamingClient {
        try StreamingClient(
            url: url, transport: StreamingClient.Transport(rawValue: transport) ?? .spdy,
            tls: StreamingClientTLS(
                serverName: tlsServerName, authority: tlsCa, certificate: tlsCert, key: tlsKey))
    }
}
