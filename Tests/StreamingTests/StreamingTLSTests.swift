import CRI
import FoundationEssentials
import Glibc
import Logging
import Streaming
import TestKit
import Testing

@Suite("Streams over TLS", .serialized, .timeLimit(.minutes(2)), .needs(.openssl))
struct StreamingTLSTests {
    /// An authority, and certificates of it for a server and a client.
    private static func use(_ body: (Scratch) async throws -> Void) async throws {
        try await Scratch.use { scratch in
            func openssl(_ arguments: String...) async throws {
                let outcome = try await Command(["openssl"] + arguments).run()
                try #require(outcome.code == 0, "\(outcome.errors)")
            }
            let subject = ["-subj", "/CN=kubesim test authority"]
            _ = try await Command(
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "1",
                ]
                    + subject + ["-keyout", scratch.file("ca.key"), "-out", scratch.file("ca.pem")]
            ).run()
            for name in ["server", "client"] {
                try await openssl(
                    "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/CN=\(name)",
                    "-keyout", scratch.file("\(name).key"), "-out", scratch.file("\(name).csr"))
                try scratch.write("\(name).ext", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
                try await openssl(
                    "x509", "-req", "-days", "1", "-in", scratch.file("\(name).csr"), "-CA", scratch.file("ca.pem"),
                    "-CAkey", scratch.file("ca.key"), "-CAcreateserial", "-extfile", scratch.file("\(name).ext"),
                    "-out", scratch.file("\(name).pem"))
            }
            try await body(scratch)
        }
    }

    @Test(
        "both transports go over https, and a client can insist on the authority",
        arguments: StreamingClient.Transport.allCases)
    func encrypted(_ transport: StreamingClient.Transport) async throws {
        try await Self.use { scratch in
            try await StreamingFixture.use({
                $0.tls = StreamingTLS(certificate: scratch.file("server.pem"), key: scratch.file("server.key"))
            }) { fixture in
                #expect(fixture.server.baseURL.hasPrefix("https://127.0.0.1:"))
                let input = Array(repeating: [UInt8](repeating: 65, count: 30_000), count: 100)
                let ended = try await fixture.run(
                    fixture.url("sh", "-c", "wc -c; exit 3", stdin: true), by: transport, input: input)
                #expect(ended.output.filter(\.isNumber) == "3000000" && ended.status == .exited(code: 3))
                let trusted = StreamingClientTLS(serverName: "localhost", authority: scratch.file("ca.pem"))
                #expect(try await fixture.run(fixture.url("true"), by: transport, tls: trusted).status == .success)
                let other = StreamingClientTLS(serverName: "localhost", authority: scratch.file("client.pem"))
                await #expect(throws: CRIError.self) {
                    try await fixture.run(fixture.url("true"), by: transport, tls: other)
                }
                // Nobody gets a stream without TLS.
                let plain = try fixture.url("true").replacing("https://", with: "http://")
                await #expect(throws: CRIError.self) { try await fixture.run(plain, by: transport) }
            }
        }
    }

    @Test("with an authority for clients, one without a certificate gets no stream") func clients() async throws {
        // Checked: with the authority passed over the stream is given; without its certificate as root the known client has
        // none.
        try await Self.use { scratch in
            try await StreamingFixture.use({
                $0.tls = StreamingTLS(
                    certificate: scratch.file("server.pem"), key: scratch.file("server.key"),
                    clientAuthority: scratch.file("ca.pem"))
            }) { fixture in
                await #expect(throws: (any Error).self) { try await fixture.run(fixture.url("true"), by: .spdy) }
                let known = StreamingClientTLS(
                    serverName: "localhost", authority: scratch.file("ca.pem"), certificate: scratch.file("client.pem"),
                    key: scratch.file("client.key"))
                let ended = try await fixture.run(fixture.url("true"), by: .spdy, tls: known)
                #expect(ended.status == .success)
            }
        }
    }

    @Test("a certificate that can't be used is named before anybody listens") func unusable() async throws {
        try await Scratch.use { scratch in
            let empty = try scratch.write("empty.pem", "")
            for (certificate, key) in [(empty, empty), (scratch.file("none.pem"), empty)] {
                var configuration = StreamingServer.Configuration()
                configuration.tls = StreamingTLS(certificate: certificate, key: key)
                let failure = await #expect(throws: CRIError.self) {
                    try await StreamingServer.bound(configuration, logger: .init(label: "test"))
                }
                #expect(
                    failure?.message.hasPrefix("no certificate in \(certificate)") == true, "\(failure?.message ?? "")")
            }
        }
    }
}
