import FoundationEssentials
import Glibc
import Images
import TestKit
import Testing

/// Debian's docker-registry, in all its ways of being spoken to.
@Suite(.needs(.root, .dockerRegistry)) struct RealRegistryTests {
    private static let image = {
        var image = ImageTarball([
            TarWriter.build { $0.file("base", "base") }, TarWriter.build { $0.file("hello", "world") },
        ])
        image.pack = { gzip($0) }
        return image
    }()

    @Test func `in plain, on this machine`() async throws {
        try await PullFixture.use { fixture in
            let registry = try await DockerRegistry.start(fixture.scratch)
            try await registry.push(Self.image, "team/hello", "v1")
            let pulled = try await fixture.pull("\(registry.authority)/team/hello:v1")
            #expect(pulled.id == sha256(Self.image.configDocument))
            let by = try await fixture.pull("\(registry.authority)/team/hello:v1@\(sha256(Self.image.manifest))")
            #expect(by.id == pulled.id)
            #expect(try await fixture.code("\(registry.authority)/team/hello:v2") == .notFound)
        }
    }

    @Test func `with TLS, by the authority and the client's certificate that hosts.toml names`() async throws {
        try await PullFixture.use { fixture in
            let authority = try await TestAuthority.make(fixture.scratch)
            let plain = try await DockerRegistry.start(fixture.scratch)
            try await plain.push(Self.image, "hello", "latest")
            let registry = try await DockerRegistry.start(fixture.scratch, tls: authority, wantsClient: true)
            let name = "\(registry.authority)/hello"
            try await fixture.refuse(name, says: "its certificate is signed by nobody whom this node trusts")
            try fixture.configure(
                registry.authority, "server = \"https://\(registry.authority)\"\nca = \"\(authority.certificate)\"")
            // The registry asks who is there.
            #expect(try await fixture.code(name) == .unavailable)
            try fixture.configure(
                registry.authority,
                """
                server = "https://\(registry.authority)"
                ca = "\(authority.certificate)"
                client = [["\(authority.clientCertificate)", "\(authority.clientKey)"]]
                """)
            #expect(try await fixture.pull(name).id == sha256(Self.image.configDocument))
        }
    }

    @Test func `with TLS that isn't looked at, where hosts.toml says so`() async throws {
        try await PullFixture.use { fixture in
            let authority = try await TestAuthority.make(fixture.scratch)
            let plain = try await DockerRegistry.start(fixture.scratch)
            try await plain.push(Self.image, "hello", "latest")
            let registry = try await DockerRegistry.start(fixture.scratch, tls: authority)
            try fixture.configure(
                registry.authority, "server = \"https://\(registry.authority)\"\nskip_verify = true")
            #expect(try await fixture.pull("\(registry.authority)/hello").repoTags.count == 1)
        }
    }

    @Test func `with a password, over TLS`() async throws {
        try await PullFixture.use { fixture in
            let authority = try await TestAuthority.make(fixture.scratch)
            let plain = try await DockerRegistry.start(fixture.scratch)
            try await plain.push(Self.image, "hello", "latest")
            let registry = try await DockerRegistry.start(fixture.scratch, tls: authority, hasPassword: true)
            // docker's older layout: certificates without a hosts.toml.
            _ = try fixture.scratch.directory("certs.d/\(registry.authority)")
            try Data(contentsOf: URL(filePath: authority.certificate))
                .write(to: URL(filePath: fixture.hosts + "/\(registry.authority)/ca.crt"))
            let name = "\(registry.authority)/hello"
            #expect(try await fixture.code(name) == .unauthenticated)
            #expect(
                try await fixture.code(name, RegistryCredentials(username: "user", password: "wrong"))
                    == .unauthenticated)
            let pulled = try await fixture.pull(name, RegistryCredentials(username: "user", password: "secret"))
            #expect(pulled.id == sha256(Self.image.configDocument))
        }
    }

    @Test func `as a mirror of a registry that can't be reached`() async throws {
        try await PullFixture.use { fixture in
            let registry = try await DockerRegistry.start(fixture.scratch)
            try await registry.push(Self.image, "library/hello", "latest")
            try fixture.configure(
                "_default", "server = \"https://127.0.0.1:1\"\n[host.\"http://\(registry.authority)\"]")
            let pulled = try await fixture.pull("hello")
            #expect(pulled.repoTags == ["docker.io/library/hello:latest"])
        }
    }
}
