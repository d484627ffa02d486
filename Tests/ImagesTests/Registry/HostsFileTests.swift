import TestKit
import Testing

@testable import Images

/// containerd's `hosts.toml`, read.
struct HostsFileTests {
    private func read(_ text: String) throws -> HostsFile { try HostsFile(Array(text.utf8)) }

    private func reason(_ text: String) -> String? {
        do {
            _ = try HostsFile(Array(text.utf8))
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `mirrors in their order, then the registry itself`() throws {
        let file = try read(
            """
            # a comment
            server = "https://registry-1.docker.io"   # and another

            [host."https://second.example:5000"]
              capabilities = ["pull"]
              ca = "/etc/certs/ca.pem"
            [host."http://first.example/path/"]
              capabilities = ["pull", "resolve"]
              skip_verify = true
              override_path = true
              client = [["/a.cert", "/a.key"], ["/b.pem"]]
              dial_timeout = "1m30s"
              ca = [
                'one.crt', # literal
                "two\\u002ecrt",
              ]
              [host."http://first.example/path/".header]
                Authorization = "Bearer abc"
                x-many = ["1", "2"]
            """)
        #expect(
            file.endpoints.map { $0.address?.description } == [
                "https://second.example:5000", "http://first.example/path", "https://registry-1.docker.io",
            ])
        let (second, first) = (file.endpoints[0], file.endpoints[1])
        #expect(second.canPull && !second.canResolve)
        #expect(second.authorities == ["/etc/certs/ca.pem"])
        #expect(first.canPull && first.canResolve && first.skipsVerification && first.overridesPath)
        #expect(first.authorities == ["one.crt", "two.crt"])
        #expect(first.clients.map(\.certificate) == ["/a.cert", "/b.pem"])
        #expect(first.clients.map(\.key) == ["/a.key", nil])
        #expect(first.dialTimeout == .seconds(90))
        #expect(
            first.headers == [
                HostsFile.Header(name: "Authorization", value: "Bearer abc"),
                HostsFile.Header(name: "x-many", value: "1"), HostsFile.Header(name: "x-many", value: "2"),
            ])
        #expect(file.unknownKeys == [])
    }

    @Test func `an empty file is the registry itself, and an unknown key is told`() throws {
        let file = try read("future = 1\n[host.\"https://m.example\"]\nshiny = true\n")
        #expect(file.endpoints.map { $0.address?.description } == ["https://m.example", nil])
        #expect(file.unknownKeys == ["host.\"https://m.example\".shiny", "future"])
        #expect(try read("").endpoints == [HostsFile.Endpoint()])
    }

    @Test func `inline tables and dotted keys are as good as headers`() throws {
        let file = try read(
            """
            host."https://m.example" = { capabilities = ["pull"], header = { "x-a" = "1" } }
            skip_verify = true
            """)
        #expect(file.endpoints[0].headers == [HostsFile.Header(name: "x-a", value: "1")])
        #expect(file.endpoints[1].skipsVerification)
    }

    @Test(arguments: [
        ("server = \"ftp://x\"", "server must be a URL"),
        ("server = \"https://user@x\"", "server must be a URL"),
        ("server = true", "server must be a text"),
        ("host = 1", "host must be a table"),
        ("[host.\"nonsense\"]", "host.\"nonsense\" must be a URL"),
        ("[host.\"https://m\"]\nca = [1]", "ca must be a text or a list of texts"),
        ("[host.\"https://m\"]\nskip_verify = \"yes\"", "skip_verify must be true or false"),
        ("[host.\"https://m\"]\ndial_timeout = \"soon\"", "dial_timeout must be a duration"),
        ("[host.\"https://m\".header]\n\"a b\" = \"c\"", "is no header's name"),
        ("[host.\"https://m\".header]\na = \"b\\r\\nc: d\"", "control character"),
        ("server = \"https://x", "line 1: a text without its closing quote"),
        ("a = 1\na = 2", "line 2: \"a\" is there already"),
        ("[a]\n[a]", "line 2: a table that is there already"),
        ("a = 1\n[a.b]", "line 2: \"a\" is a value, and no table"),
        ("[[host]]", "arrays of tables"),
        ("a = yes", "\"yes\" is no value"),
        ("a = 1 b = 2", "something stands behind the value"),
        ("a = \"\"\"x\"\"\"", "texts of several lines"),
        ("\u{0}", "a key is missing"),
        ("a = \(String(repeating: "[", count: 40))", "nested deeper"),
    ])
    func `what is wrong is said, with its place`(_ text: String, _ expected: String) {
        #expect(reason(text)?.contains(expected) == true, "\(reason(text) ?? "nothing")")
    }

    @Test func `durations are Go's`() {
        #expect(goDuration("1h2m3s") == .seconds(3723))
        #expect(goDuration("250ms") == .milliseconds(250))
        #expect(goDuration("0") == .zero)
        for wrong in ["", "5", "s", "-1s", "99999999999999999999h", "9223372036854775807h"] {
            #expect(goDuration(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `the directory of a registry is found as containerd finds it`() async throws {
        try await Scratch.use { scratch in
            for (name, server) in [
                ("_default", "https://default.example"), ("plain.example", "https://a.example"),
                ("port.example_5000_", "https://b.example"), ("other.example:5000", "https://c.example"),
            ] {
                _ = try scratch.directory("certs.d/\(name)")
                try scratch.write("certs.d/\(name)/hosts.toml", "server = \"\(server)\"\nca = \"ca.pem\"")
            }
            let hosts = HostsDirectory(path: scratch.file("certs.d"))
            func address(_ registry: String) throws -> String? {
                try hosts.endpoints(for: registry).endpoints.first?.address.description
            }
            #expect(try address("plain.example") == "https://a.example/v2")
            #expect(try address("port.example:5000") == "https://b.example/v2")
            #expect(try address("other.example:5000") == "https://c.example/v2")
            #expect(try address("unknown.example") == "https://default.example/v2")
            let (endpoints, _) = try hosts.endpoints(for: "plain.example")
            #expect(endpoints.first?.tls.authorities == [scratch.file("certs.d/plain.example/ca.pem")])
            #expect(endpoints.first?.namespace == "plain.example")
        }
    }

    @Test func `without a word of configuration only this machine is asked in plain`() throws {
        let hosts = HostsDirectory(path: "/nonexistent")
        func addresses(_ registry: String) throws -> [String] {
            try hosts.endpoints(for: registry).endpoints.map(\.address.description)
        }
        #expect(try addresses("docker.io") == ["https://registry-1.docker.io/v2"])
        #expect(try addresses("quay.io") == ["https://quay.io/v2"])
        #expect(try addresses("10.0.0.1:5000") == ["https://10.0.0.1:5000/v2"])
        for local in ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"] {
            #expect(try addresses(local) == ["http://\(local)/v2", "https://\(local)/v2"])
        }
        #expect(try addresses("127.0.0.1.example.com:5000") == ["https://127.0.0.1.example.com:5000/v2"])
    }
}

/// What servers say, read.
struct AnswerTests {
    @Test func `challenges, several in a field`() {
        #expect(
            Challenge.read(#"Bearer realm="https://a/t?x=1",service="r, s",scope="repository:a/b:pull", Basic realm=x"#)
                == [
                    Challenge(
                        scheme: "bearer",
                        parameters: ["realm": "https://a/t?x=1", "service": "r, s", "scope": "repository:a/b:pull"]),
                    Challenge(scheme: "basic", parameters: ["realm": "x"]),
                ])
        #expect(Challenge.read(#"Basic realm="a \"b\"""#).first?.parameters == ["realm": #"a "b""#])
        #expect(Challenge.read("Negotiate, Basic realm=\"x\"").map(\.scheme) == ["negotiate", "basic"])
        #expect(Challenge.read("") == [])
        #expect(Challenge.read(#"Bearer realm="open"#).first?.parameters == [:])
    }

    @Test func `where a redirect leads`() throws {
        let from = try #require(RequestTarget("https://a.example/v2/x/blobs/1?ns=y"))
        #expect(from.followed(by: "https://b.example:8443/c?d=e#f")?.description == "https://b.example:8443/c?d=e")
        #expect(from.followed(by: "/c")?.description == "https://a.example/c")
        #expect(from.followed(by: "c")?.description == "https://a.example/v2/x/blobs/c")
        #expect(from.followed(by: "//b.example/c")?.description == "https://b.example/c")
        #expect(from.followed(by: "?q")?.description == "https://a.example/v2/x/blobs/1?q")
        for wrong in ["ftp://b/c", "javascript:x", "https://user:pw@b/c", "http:///c", "/a b", "https://b:99999/"] {
            #expect(from.followed(by: wrong) == nil, "\(wrong)")
        }
    }

    // Checked: without the look at the schemes both are taken.
    @Test func `nobody is led from HTTPS to plain HTTP, by a redirect or to a token server`() throws {
        let from = try #require(RequestTarget("https://a.example/v2/x/blobs/1"))
        #expect(throws: RegistryFailure.self) { try from.next("http://a.example/v2/x/blobs/1") }
        #expect(try from.next("https://b.example/").address.host == "b.example")
        #expect(throws: RegistryFailure.self) { try from.next("") }
        let challenge = Challenge(scheme: "bearer", parameters: ["realm": "http://a.example/token"])
        func token(_ registry: String) throws -> TokenRequest {
            try TokenRequest(
                challenge, scope: "s", credentials: nil, basic: ("user", "secret"),
                from: try #require(HostAddress(registry)), url: "")
        }
        #expect(throws: RegistryAttempt.self) { try token("https://a.example") }
        #expect(try token("http://a.example").target.address.host == "a.example")
    }

    @Test func `Base64, there and back`() {
        for text in ["", "a", "ab", "abc", "user:pass word\u{e9}"] {
            let encoded = Base64.encode(text)
            #expect(Base64.decode(encoded) == Array(text.utf8))
            #expect(encoded.utf8.count % 4 == 0)
        }
        #expect(Base64.encode("user:secret") == "dXNlcjpzZWNyZXQ=")
        #expect(Base64.decode("dXNl*") == nil)
    }

    @Test func `docker's config.json, by the longest path that fits`() throws {
        let config = try DockerConfig(
            Array(
                """
                {"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"r.example:5000":{"username":"a","password":"b"},
                "r.example:5000/team":{"identitytoken":"t"},"kept.example":{}},"credsStore":"pass",
                "credHelpers":{"ecr.example":"ecr-login"}}
                """.utf8), entry: "config.json")
        #expect(try config.credentials(registry: "docker.io", repository: "library/x")?.basic()?.password == "p")
        #expect(config.credentials(registry: "r.example:5000", repository: "other/x")?.username == "a")
        #expect(config.credentials(registry: "r.example:5000", repository: "team/x")?.identityToken == "t")
        #expect(config.credentials(registry: "r.example", repository: "x") == nil)
        #expect(config.helper(registry: "ecr.example", repository: "x") == "ecr-login")
        #expect(config.helper(registry: "kept.example", repository: "x") == "pass")
    }

    @Test func `credentials are for the registry that they name, and say nothing of themselves`() {
        let some = RegistryCredentials(username: "u", password: "secret", serverAddress: "https://r.example:5000/v2/")
        #expect(some.areFor("r.example:5000"))
        #expect(!some.areFor("r.example"))
        #expect(!"\(some)".contains("secret"))
        #expect(RegistryCredentials(auth: "x").areFor("anything"))
    }
}
