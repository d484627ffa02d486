import TestKit
import Testing

@testable import Images

@Suite("Proxies", .serialized, .timeLimit(.minutes(1)))
struct ProxyTests {
    private static func rules(_ variables: [String: String]) -> ProxyRules { ProxyRules { variables[$0] } }

    private static func way(_ rules: ProxyRules, _ address: String) throws -> String? {
        let address = try #require(HostAddress(address))
        return rules.proxy(to: address).map { "\($0.kind) \($0.host):\($0.port) \($0.login ?? "-")" }
    }

    @Test("each scheme has its variable, in capitals or not; a login is decoded") func variables() throws {
        let rules = Self.rules([
            "HTTP_PROXY": "http://me:p%40ss@proxy.example:3128/", "https_proxy": "proxy.example", "HTTPS_PROXY": "",
        ])
        #expect(try Self.way(rules, "http://registry.example/v2") == "http proxy.example:3128 me:p@ss")
        #expect(try Self.way(rules, "https://registry.example/v2") == "http proxy.example:80 -")
        #expect(try Self.way(Self.rules(["HTTPS_PROXY": "socks5://[::1]"]), "https://a/") == "socks5 ::1:1080 -")
        #expect(try Self.way(Self.rules([:]), "https://a/") == nil)
        for wrong in ["https://secure.example", "ftp://a", "http://a b", "http://:1", "socks5://me:x@a"] {
            #expect(Self.rules(["HTTP_PROXY": wrong]).mistake?.contains("HTTP_PROXY") == true, "\(wrong)")
        }
        #expect(Self.rules(["HTTP_PROXY": "https://me:secret@a"]).mistake?.contains("secret") == false)
    }

    @Test(
        "NO_PROXY names what is spoken to directly",
        arguments: [
            ("*", "http://a.example", true), ("a.example", "http://a.example", true),
            ("a.example", "http://b.a.example", true), ("a.example", "http://xa.example", false),
            (".a.example", "http://a.example", false), (".a.example", "http://b.a.example", true),
            ("*.a.example", "http://a.example", false), ("*.a.example", "http://b.a.example", true),
            ("a.example:81", "http://a.example", false), ("a.example:80", "http://a.example", true),
            ("10.0.0.0/8", "http://10.200.3.4:5000", true), ("10.0.0.0/8", "http://11.0.0.1", false),
            ("10.0.0.0/9", "http://10.128.0.1", false), ("10.1.2.3", "http://10.1.2.3", true),
            ("10.1.2.3:5000", "http://10.1.2.3", false), ("fd00::/8", "http://[fd12::1]:5000", true),
            ("fd00::/8", "http://[fe80::1]", false), (" x , b.example ", "http://b.example", true),
            ("10.0.0.0/40,,[,/,:1", "http://b.example", false), ("", "http://127.0.0.1:5000", true),
            ("", "http://localhost", true), ("", "http://[::1]", true),
        ]) func exceptions(_ list: String, _ address: String, _ isDirect: Bool) throws
    {
        let rules = Self.rules(["HTTP_PROXY": "http://proxy.example:3128", "NO_PROXY": list])
        #expect(try (Self.way(rules, address) == nil) == isDirect, "\(list) \(address)")
    }

    @Test("an image comes through a proxy, which alone knows where the registry is") func pull() async throws {
        let contents = RegistryContents()
        contents.put(ImageTarball { $0.file("file", "x") })
        // It is the registry itself: what comes through the tunnel it answers on the same connection.
        try await LoopbackServer.use { request in
            guard request.method == "CONNECT" else { return contents.answer(request) }
            guard request.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0" else { return .text(407) }
            return request.path == "registry.invalid:5000" ? .text(200) : .text(403)
        } _: { proxy in
            func use(_ login: String, _ body: (PullFixture) async throws -> Void) async throws {
                let rules = Self.rules(["HTTP_PROXY": "http://\(login)\(proxy.authority)"])
                try await PullFixture.use(attempts: 1, proxies: rules) { fixture in
                    try fixture.configure("registry.invalid:5000", "server = 'http://registry.invalid:5000'")
                    try await body(fixture)
                }
            }
            try await use("me:secret@") { fixture in
                let pulled = try await fixture.pull("registry.invalid:5000/a")
                #expect(pulled.repoTags == ["registry.invalid:5000/a:latest"])
            }
            try await use("") { fixture in
                let text = try await fixture.refuse("registry.invalid:5000/a", says: "proxy \(proxy.authority)")
                #expect(text.contains("wants to know who asks") || text.contains("407"), "\(text)")
            }
        }
    }

    @Test("a way through TLS is asked of the proxy, and its no is told") func tunnel() async throws {
        try await LoopbackServer.use { _ in
            .text(403, "no")
        } _: { proxy in
            let rules = Self.rules(["HTTPS_PROXY": "http://\(proxy.authority)"])
            try await PullFixture.use(attempts: 1, proxies: rules) { fixture in
                try await fixture.refuse("registry.invalid/a", says: "through the proxy \(proxy.authority)")
            }
            #expect(proxy.requests.map(\.method) == ["CONNECT"])
            #expect(proxy.requests.first?.path == "registry.invalid:443")
        }
    }

    @Test("a proxy that can't be used is told by its variable, and nobody is asked past it") func mistake() async throws
    {
        try await LoopbackServer.use { _ in
            .text(200, "{}")
        } _: { registry in
            try await PullFixture.use(proxies: Self.rules(["HTTP_PROXY": "https://secure.example"])) { fixture in
                try await fixture.refuse("\(registry.authority)/a", says: "HTTP_PROXY: 'https://secure.example'")
            }
            #expect(registry.requests.isEmpty)
        }
    }
}
