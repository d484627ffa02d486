import FoundationEssentials
import Images
import Synchronization
import TestKit
import Testing

/// Who asks, and who gets to know it.
@Suite(.needs(.root)) struct AuthorizationTests {
    private static let basic = "Basic dXNlcjpzZWNyZXQ="  // user:secret

    private func contents() -> RegistryContents {
        let contents = RegistryContents()
        contents.put(ImageTarball { $0.file("hello", "world") })
        return contents
    }

    /// A registry that wants a token, and the token server beside it, which wants the password.
    private func tokenRegistry(
        anonymous: Bool = false, tokens: Int = .max,
        _ body: (PullFixture, _ registry: LoopbackServer, _ tokens: LoopbackServer) async throws -> Void
    ) async throws {
        let contents = contents()
        let given = Mutex(0)
        try await LoopbackServer.use { request in
            let isForm = request.method == "POST"
            let form = String(decoding: request.body, as: UTF8.self)
            let isKnown =
                isForm ? form.contains("refresh_token=long-lived") : request.headers["authorization"] == Self.basic
            guard anonymous || isKnown else { return .text(401, #"{"details":"incorrect username or password"}"#) }
            let number = given.withLock { given in
                given += 1
                return given
            }
            return .text(200, isForm ? #"{"access_token":"t\#(number)"}"# : #"{"token":"t\#(number)"}"#)
        } _: { tokens in
            let realm = "http://\(tokens.authority)/token"
            try await LoopbackServer.use { request in
                let latest = given.withLock { $0 }
                guard latest > 0, request.headers["authorization"] == "Bearer t\(latest)" else {
                    return .text(
                        401, "{}",
                        [
                            (
                                "WWW-Authenticate",
                                #"Bearer realm="\#(realm)",service="registry",scope="repository:hello:pull""#
                            )
                        ])
                }
                return contents.answer(request)
            } _: { registry in
                try await PullFixture.use { try await body($0, registry, tokens) }
            }
        }
    }

    @Test func `a token is fetched once for a whole pull`() async throws {
        try await tokenRegistry { fixture, registry, tokens in
            try await fixture.pull(
                "\(registry.authority)/hello", RegistryCredentials(username: "user", password: "secret"))
            #expect(tokens.requests.count == 1)
            let asked = try #require(tokens.requests.first).path
            #expect(asked.contains("service=registry") && asked.contains("scope=repository:hello:pull"))
            // The password is the token server's business alone.
            #expect(registry.requests.allSatisfy { $0.headers["authorization"]?.hasPrefix("Bearer ") ?? true })
        }
    }

    @Test func `a token without a name, an identity token, and a registry token`() async throws {
        try await tokenRegistry(anonymous: true) { fixture, registry, tokens in
            try await fixture.pull("\(registry.authority)/hello")
            #expect(tokens.requests.map { $0.headers["authorization"] } == [nil])
        }
        try await tokenRegistry { fixture, registry, tokens in
            try await fixture.pull("\(registry.authority)/hello", RegistryCredentials(identityToken: "long-lived"))
            let form = String(decoding: try #require(tokens.requests.first).body, as: UTF8.self)
            #expect(form.contains("grant_type=refresh_token") && form.contains("service=registry"))
            try await fixture.pull("\(registry.authority)/hello", RegistryCredentials(registryToken: "t1"))
            #expect(tokens.requests.count == 1)
        }
    }

    @Test func `a wrong password is said to be wrong, without it`() async throws {
        try await tokenRegistry { fixture, registry, _ in
            let wrong = RegistryCredentials(username: "user", password: "guessed")
            let text = try await fixture.refuse("\(registry.authority)/hello", wrong)
            #expect(text.contains("the token server says no: 401") && text.contains("incorrect username or password"))
            #expect(text.contains("imagePullSecrets") && !text.contains("guessed"))
            #expect(try await fixture.code("\(registry.authority)/hello", wrong) == .unauthenticated)
        }
    }

    @Test func `a password, from the request or from config.json`() async throws {
        let contents = contents()
        try await LoopbackServer.use { request in
            request.headers["authorization"] == Self.basic
                ? contents.answer(request) : .text(401, "", [("WWW-Authenticate", "Basic realm=\"r\"")])
        } _: { registry in
            let name = "\(registry.authority)/hello"
            for credentials in [
                RegistryCredentials(username: "user", password: "secret"),
                RegistryCredentials(auth: "dXNlcjpzZWNyZXQ="),
            ] {
                try await PullFixture.use { _ = try await $0.pull(name, credentials) }
            }
            try await PullFixture.use { fixture in
                try await fixture.refuse(name, says: "the registry wants a user name and a password")
                try fixture.scratch.write(
                    "config.json", #"{"auths":{"\#(registry.authority)":{"auth":"dXNlcjpzZWNyZXQ="}}}"#)
                // Credentials of the request go before; those for another registry don't count.
                try await fixture.refuse(
                    name, RegistryCredentials(username: "other", password: "x"), says: "doesn't accept a password")
                try await fixture.pull(
                    name, RegistryCredentials(username: "other", password: "x", serverAddress: "other.example"))
            }
        }
    }

    @Test func `a program that has the credentials isn't run, and is named`() async throws {
        try await LoopbackServer.use { _ in
            .text(401, "", [("WWW-Authenticate", "Basic realm=\"r\"")])
        } _: { registry in
            try await PullFixture.use { fixture in
                try fixture.scratch.write("config.json", #"{"credHelpers":{"\#(registry.authority)":"magic"}}"#)
                let text = try await fixture.refuse("\(registry.authority)/hello")
                #expect(text.contains("config.json leaves the credentials to the program magic, which isn't run"))
            }
        }
    }

    // Checked: with the authorization sent wherever a redirect leads, the other server sees it.
    @Test func `credentials and headers don't go along with a redirect`() async throws {
        let contents = contents()
        try await LoopbackServer.use(contents.answer) { storage in
            try await LoopbackServer.use { request in
                guard request.headers["authorization"] == Self.basic else {
                    return .text(401, "", [("WWW-Authenticate", "Basic realm=\"r\"")])
                }
                return request.path.contains("/blobs/")
                    ? .text(307, "", [("Location", "http://\(storage.authority)\(request.path)")])
                    : contents.answer(request)
            } _: { registry in
                try await PullFixture.use { fixture in
                    try fixture.configure(
                        registry.authority,
                        """
                        server = "http://\(registry.authority)"
                        [header]
                          x-secret = "of the registry"
                        """)
                    try await fixture.pull(
                        "\(registry.authority)/hello", RegistryCredentials(username: "user", password: "secret"))
                    #expect(storage.requests.count == 2)
                    for request in storage.requests {
                        #expect(request.headers["authorization"] == nil && request.headers["x-secret"] == nil)
                    }
                    #expect(registry.requests.allSatisfy { $0.headers["x-secret"] == "of the registry" })
                }
            }
        }
    }

    @Test func `a registry that is never content is left`() async throws {
        for challenge in ["Bearer realm=\"REALM\",service=\"s\"", "Basic realm=\"r\"", "Digest nonce=\"1\"", ""] {
            try await LoopbackServer.use { _ in
                .text(200, #"{"token":"anything"}"#)
            } _: { tokens in
                let challenge = challenge.replacing("REALM", with: "http://\(tokens.authority)/")
                try await LoopbackServer.use { _ in
                    .text(401, "", [("WWW-Authenticate", challenge)])
                } _: { registry in
                    try await PullFixture.use { fixture in
                        let known = RegistryCredentials(username: "user", password: "secret")
                        let code = try await fixture.code("\(registry.authority)/hello", known)
                        #expect(code == .unauthenticated)
                        #expect(registry.requests.count <= 3)
                    }
                }
            }
        }
    }

    @Test(arguments: ["", "nonsense", "ftp://x/", "http://user:pw@127.0.0.1/"])
    func `a token server that can't be asked`(_ realm: String) async throws {
        try await LoopbackServer.use { _ in
            .text(401, "", [("WWW-Authenticate", "Bearer realm=\"\(realm)\"")])
        } _: { registry in
            try await PullFixture.use { fixture in
                try await fixture.refuse("\(registry.authority)/hello", says: "no token server that can be asked")
            }
        }
    }

    // Checked: without the look at its characters the first of them is sent.
    @Test(arguments: [#"{"token":"a\r\nb: c"}"#, #"{"token":""}"#, "nothing", #"{"token":7}"#])
    func `a token that is none`(_ answer: String) async throws {
        try await LoopbackServer.use { _ in
            .text(200, answer)
        } _: { tokens in
            try await LoopbackServer.use { _ in
                .text(401, "", [("WWW-Authenticate", "Bearer realm=\"http://\(tokens.authority)/\"")])
            } _: { registry in
                try await PullFixture.use { fixture in
                    try await fixture.refuse("\(registry.authority)/hello", says: "no token that can be used")
                }
            }
        }
    }

    @Test func `mirrors are asked first, told whose image it is, and the registry when they fail`() async throws {
        let contents = contents()
        try await LoopbackServer.use(contents.answer) { registry in
            try await LoopbackServer.use { _ in
                .text(503)
            } _: { broken in
                try await LoopbackServer.use { request in
                    // A mirror that has layers and no manifests.
                    request.path.contains("/blobs/") ? contents.answer(request) : .text(404)
                } _: { mirror in
                    try await PullFixture.use { fixture in
                        try fixture.configure(
                            "images.example",
                            """
                            server = "http://\(registry.authority)/root"
                            [host."http://\(broken.authority)"]
                              capabilities = ["resolve"]
                            [host."http://\(mirror.authority)/prefix/v9"]
                              capabilities = ["pull", "resolve"]
                              override_path = true
                            """)
                        try await fixture.pull("images.example/hello")
                        // Three attempts, as many as are allowed.
                        #expect(broken.requests.count == 3)
                        #expect(mirror.count("/prefix/v9/hello/manifests/latest?ns=images.example") == 1)
                        #expect(mirror.count("/prefix/v9/hello/blobs/") == 2)
                        #expect(
                            registry.requests.map(\.path) == ["/root/v2/hello/manifests/latest?ns=images.example"])
                        #expect(broken.count("/blobs/") == 0)
                    }
                }
            }
        }
    }
}
