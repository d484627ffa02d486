import FoundationEssentials
import Glibc
import Images
import Synchronization
import TestKit
import Testing

/// Pulls from a registry that does as registries do.
@Suite(.needs(.root)) struct PullTests {
    private let hello = ImageTarball { $0.file("hello", "world") }

    private func serve(
        _ images: [(ImageTarball, [String])], limits: ImageLimits = ImageLimits(),
        _ body: (PullFixture, LoopbackServer, RegistryContents) async throws -> Void
    ) async throws {
        let contents = RegistryContents()
        for (image, tags) in images { contents.put(image, tags: tags) }
        try await LoopbackServer.use(contents.answer) { server in
            try await PullFixture.use(limits: limits) { try await body($0, server, contents) }
        }
    }

    @Test func `an image is pulled by its tag and known by tag, digest and id`() async throws {
        try await serve([(hello, ["v1"])]) { fixture, server, _ in
            let name = "\(server.authority)/team/hello"
            let image = try await fixture.pull(name + ":v1")
            #expect(image.id == sha256(hello.configDocument))
            #expect(image.repoTags == [name + ":v1"])
            #expect(image.repoDigests == ["\(name)@\(sha256(hello.manifest))"])
            #expect(!image.pinned)
            #expect(try text(fixture.store.tree(image) + "/hello") == "world")
            #expect(await fixture.store.store.find("\(name)@\(sha256(hello.manifest))") == image)
        }
    }

    @Test func `a name with a digest is that content, whatever the tag beside it says`() async throws {
        try await serve([(hello, ["v1"])]) { fixture, server, _ in
            let name = "\(server.authority)/hello"
            let digest = sha256(hello.manifest)
            for suffix in ["@\(digest)", ":other@\(digest)"] {
                let image = try await fixture.pull(name + suffix)
                #expect(image.repoTags == [])
                #expect(image.repoDigests == ["\(name)@\(digest)"])
            }
            #expect(server.count("/manifests/other") == 0)
        }
    }

    @Test(arguments: ["plain", "gzip", "zstd"]) func `layers come in any compression`(_ how: String) async throws {
        var image = ImageTarball([
            TarWriter.build { tar in
                tar.file("one", "1")
                tar.file("gone", "x")
            },
            TarWriter.build { tar in
                tar.file("two", "2")
                tar.file(".wh.gone", "")
            },
        ])
        if how == "gzip" { image.pack = { gzip($0) } }
        if how == "zstd" { image.pack = { zstd($0) } }
        try await serve([(image, ["latest"])]) { fixture, server, _ in
            let pulled = try await fixture.pull("\(server.authority)/image")
            #expect(pulled.layers == image.layers.map(sha256))
            let top = fixture.store.root + "/layers/" + pulled.chainID.dropFirst(7) + "/fs"
            #expect(try text(top + "/two") == "2")
            // The whiteout, which only the layer below gives a meaning.
            #expect(try status(top + "/gone").st_mode & S_IFMT == S_IFCHR)
        }
    }

    @Test func `an index leads to this host's platform, and docker's media types are as good`() async throws {
        var foreign = ImageTarball { $0.file("hello", "stranger") }
        foreign.architecture = "s390x"
        func entry(_ image: ImageTarball, _ architecture: String, _ os: String = "linux") -> String {
            image.descriptor(
                "manifest.v1+json", image.manifest, #","platform":{"os":"\#(os)","architecture":"\#(architecture)"}"#)
        }
        let entries = [
            entry(foreign, "s390x"), entry(foreign, ImageTarball.hostArchitecture, "windows"),
            entry(foreign, "unknown", "unknown"), entry(hello, ImageTarball.hostArchitecture),
        ]
        for (type, tag) in [
            (RegistryContents.indexType, "oci"),
            ("application/vnd.docker.distribution.manifest.list.v2+json", "docker"),
        ] {
            let index = Array(
                #"{"schemaVersion":2,"mediaType":"\#(type)","manifests":[\#(entries.joined(separator: ","))]}"#.utf8)
            try await serve([(hello, []), (foreign, [])]) { fixture, server, contents in
                contents.put(manifest: index, type: type, tags: [tag])
                let name = "\(server.authority)/hello"
                let image = try await fixture.pull("\(name):\(tag)")
                #expect(image.id == sha256(hello.configDocument))
                // The index is what the digest names: the same on every platform.
                #expect(image.repoDigests == ["\(name)@\(sha256(index))"])
                #expect(server.count(sha256(foreign.manifest)) == 0)
            }
        }
    }

    @Test func `an index without this host's platform says what it has`() async throws {
        let entry = hello.descriptor(
            "manifest.v1+json", hello.manifest, #","platform":{"os":"linux","architecture":"s390x"}"#)
        try await serve([(hello, [])]) { fixture, server, contents in
            contents.put(
                manifest: Array(#"{"schemaVersion":2,"manifests":[\#(entry)]}"#.utf8), type: RegistryContents.indexType,
                tags: ["latest"])
            let text = try await fixture.refuse("\(server.authority)/hello")
            #expect(text.contains("no image for linux/\(ImageTarball.hostArchitecture) in it (it has linux/s390x)"))
        }
    }

    @Test func `what the store has is not fetched again`() async throws {
        let base = TarWriter.build { $0.file("base", "base") }
        let one = ImageTarball([base, TarWriter.build { $0.file("one", "1") }])
        let two = ImageTarball([base, TarWriter.build { $0.file("two", "2") }])
        try await serve([(one, ["one"]), (two, ["two"])]) { fixture, server, _ in
            try await fixture.pull("\(server.authority)/image:one")
            try await fixture.pull("\(server.authority)/image:two")
            #expect(server.count("/blobs/" + sha256(base)) == 1)
            let before = server.requests.count
            try await fixture.pull("\(server.authority)/image:two")
            #expect(server.requests.dropFirst(before).map(\.path) == ["/v2/image/manifests/two"])
        }
    }

    // Checked: without the joining of pulls the configurations are asked for more than once.
    @Test func `pulls at once share each image and each layer`() async throws {
        let base = TarWriter.build { $0.add("base", .file, [UInt8](repeating: 7, count: 1 << 20)) }
        let one = ImageTarball([base, TarWriter.build { $0.file("one", "1") }])
        let two = ImageTarball([base, TarWriter.build { $0.file("two", "2") }])
        try await serve([(one, ["one"]), (two, ["two"])]) { fixture, server, _ in
            let names = ["one", "two", "one", "two", "one"].map { "\(server.authority)/image:\($0)" }
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for name in names { group.addTask { try await fixture.pull(name).id } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids == [sha256(one.configDocument), sha256(two.configDocument)])
            for blob in one.layers + two.layers + [one.configDocument, two.configDocument] {
                #expect(server.count("/blobs/" + sha256(blob)) == 1)
            }
        }
    }

    // Checked: without the limit of one registry its third pull is let in.
    @Test func `one registry that hangs leaves places for the others`() async throws {
        let contents = RegistryContents()
        contents.put(hello, tags: ["latest"])
        try await LoopbackServer.use { _ in
            .init(isSilent: true)
        } _: { silent in
            try await LoopbackServer.use(contents.answer) { good in
                try await PullFixture.use(pulls: 4) { fixture in
                    let hung = (0..<2).map { number in
                        Task { try await fixture.pull("\(silent.authority)/image:\(number)") }
                    }
                    try await eventually("both are at work") { silent.requests.count == 2 }
                    let text = try await fixture.refuse("\(silent.authority)/image:2")
                    #expect(
                        text.contains("2 pulls from \(silent.authority) are at work already (try again later)"),
                        "\(text)")
                    try await fixture.pull("\(good.authority)/hello")
                    for pull in hung { pull.cancel() }
                    for pull in hung { await #expect(throws: ImageError.self) { try await pull.value } }
                    // Their places are free again.
                    let next = Task { try await fixture.pull("\(silent.authority)/image:2") }
                    try await eventually("it is at work") { silent.requests.count == 3 }
                    next.cancel()
                    await #expect(throws: ImageError.self) { try await next.value }
                }
            }
        }
    }

    @Test func `a tag that moved takes its name along`() async throws {
        let newer = ImageTarball { $0.file("hello", "again") }
        try await serve([(hello, ["latest"])]) { fixture, server, contents in
            let name = "\(server.authority)/hello:latest"
            let old = try await fixture.pull(name)
            contents.put(newer)
            let new = try await fixture.pull(name)
            #expect(new.repoTags == [name])
            #expect(await fixture.store.store.find(old.id)?.repoTags == [])
        }
    }

    @Test func `an image that a person brought in is as good as pulled`() async throws {
        try await serve([]) { fixture, server, _ in
            var image = hello
            image.names = ["\(server.authority)/hello:latest", "localhost/hello:latest"]
            let loaded = try await fixture.store.load(image.dockerSave(), pinned: true)
            for name in image.names { #expect(try await fixture.pull(name).id == loaded.first?.id) }
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `progress is told, to its end`() async throws {
        let image = ImageTarball([
            TarWriter.build { $0.add("big", .file, [UInt8](repeating: 1, count: 4 << 20)) },
            TarWriter.build { $0.file("small", "") },
        ])
        try await serve([(image, ["latest"])]) { fixture, server, _ in
            let seen = Mutex<[ImageProgress]>([])
            _ = try await fixture.store.store.pull("\(server.authority)/image") { step in
                seen.withLock { $0.append(step) }
            }
            let total = UInt64(image.layers.reduce(0) { $0 + $1.count })
            try await eventually("the last step is told") { seen.withLock { $0.contains { $0.bytes == total } } }
            let steps = seen.withLock { $0 }
            #expect(steps.allSatisfy { $0.stage == .pulling && $0.layers == 2 && $0.totalBytes == total })
        }
    }

    @Test func `an unknown image is not found, in the registry's words`() async throws {
        try await serve([]) { fixture, server, _ in
            let text = try await fixture.refuse("\(server.authority)/no/such:v9")
            #expect(text.contains("http://\(server.authority)/v2/no/such/manifests/v9: 404"))
            #expect(text.contains("MANIFEST_UNKNOWN: not known to registry"))
            #expect(try await fixture.code("\(server.authority)/no/such:v9") == .notFound)
        }
    }

    @Test func `a registry that isn't there is unavailable, and said where`() async throws {
        try await PullFixture.use { fixture in
            let text = try await fixture.refuse("127.0.0.1:1/hello")
            #expect(text.contains("http://127.0.0.1:1/v2/hello/manifests/latest: no connection: Connection refused"))
            #expect(try await fixture.code("127.0.0.1:1/hello") == .unavailable)
        }
    }
}
