import Images
import TestKit
import Testing

/// The many ways in which programs write images.
@Suite(.needs(.root)) struct LayoutTests {
    private let hello = ImageTarball { $0.file("hello", "world") }

    private func expectHello(_ bytes: [UInt8], name: String = "image.tar") async throws {
        try await StoreFixture.use { fixture in
            let images = try await fixture.load(bytes, name: name)
            let image = try #require(images.first)
            #expect(images.count == 1)
            #expect(image.id == sha256(hello.configDocument))
            #expect(image.repoTags == ["localhost/test:latest"])
            #expect(image.layers == hello.layers.map(sha256))
            #expect(image.config.cmd == ["sh"])
            #expect(image.config.env == ["PATH=/bin"])
            #expect(image.size > 0)
            #expect(try text(fixture.tree(image) + "/hello") == "world")
            #expect(await fixture.store.find("localhost/test") == image)
        }
    }

    @Test func `a docker save archive`() async throws { try await expectHello(hello.dockerSave()) }

    @Test func `an OCI layout archive`() async throws { try await expectHello(hello.ociLayout()) }

    @Test func `an archive compressed with gzip`() async throws {
        try await expectHello(gzip(hello.dockerSave()), name: "image.tar.gz")
        try await expectHello(gzip(hello.ociLayout()), name: "image.tgz")
    }

    @Test func `an archive compressed with zstd`() async throws {
        try await expectHello(zstd(hello.dockerSave()), name: "image.tar.zst")
        try await expectHello(zstd(hello.ociLayout()), name: "image.tar.zst")
    }

    @Test func `a gzip archive of several members`() async throws {
        let whole = hello.dockerSave()
        let middle = whole.count / 2
        try await expectHello(gzip(Array(whole[..<middle])) + gzip(Array(whole[middle...])))
    }

    @Test(arguments: ["gzip", "zstd"]) func `layers that are compressed`(_ how: String) async throws {
        var image = hello
        image.pack = { how == "gzip" ? gzip($0) : zstd($0) }
        try await expectHello(image.ociLayout())
        try await expectHello(image.dockerSave())
    }

    @Test func `both layouts in one archive, as newer docker versions save them`() async throws {
        let annotation = #","annotations":{"org.opencontainers.image.ref.name":"latest"}"#
        let descriptor = hello.descriptor("manifest.v1+json", hello.manifest, annotation)
        let layer = "blobs/sha256/" + hex(hello.layers[0])
        let config = "blobs/sha256/" + hex(hello.configDocument)
        var tar = TarWriter()
        tar.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        hello.addBlobs(to: &tar)
        tar.file("index.json", #"{"schemaVersion":2,"manifests":[\#(descriptor)]}"#)
        tar.file(
            "manifest.json",
            #"[{"Config":"\#(config)","RepoTags":["localhost/test:latest"],"Layers":["\#(layer)"]}]"#)
        try await expectHello(tar.archive)
    }

    @Test func `names that begin with a dot and a slash`() async throws {
        let config = hex(hello.configDocument) + ".json"
        var tar = TarWriter()
        tar.directory(".")
        tar.add("./" + config, .file, hello.configDocument)
        tar.add("./layer.tar", .file, hello.layers[0])
        tar.file(
            "./manifest.json",
            #"[{"Config":"\#(config)","RepoTags":["localhost/test:latest"],"Layers":["layer.tar"]}]"#)
        try await expectHello(tar.archive)
    }

    @Test func `a layer that is a link to another image's, as older docker versions save it`() async throws {
        try await expectHello(
            TarWriter.build { tar in
                tar.add("config.json", .file, hello.configDocument)
                tar.add("a/layer.tar", .file, hello.layers[0])
                tar.add("b/layer.tar", .symlink, link: "../a/layer.tar")
                tar.file(
                    "manifest.json",
                    #"[{"Config":"config.json","RepoTags":["localhost/test:latest"],"Layers":["b/layer.tar"]}]"#)
            })
    }

    @Test func `an index inside the index: this host's platform is taken`() async throws {
        var foreign = ImageTarball { $0.file("hello", "stranger") }
        foreign.architecture = "s390x"
        func platform(_ architecture: String) -> String {
            #","platform":{"os":"linux","architecture":"\#(architecture)"}"#
        }
        let entries = [
            foreign.descriptor("manifest.v1+json", foreign.manifest, platform("s390x")),
            hello.descriptor("manifest.v1+json", hello.manifest, platform(ImageTarball.hostArchitecture)),
            hello.descriptor("manifest.v1+json", Array("gone".utf8), platform("unknown")),
        ]
        let inner = Array(#"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#.utf8)
        let annotation = #","annotations":{"io.containerd.image.name":"localhost/test:latest"}"#
        let outer = hello.descriptor("index.v1+json", inner, annotation)
        var tar = TarWriter()
        tar.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        foreign.addBlobs(to: &tar)
        hello.addBlobs(to: &tar)
        tar.add("blobs/sha256/" + hex(inner), .file, inner)
        tar.file("index.json", #"{"schemaVersion":2,"manifests":[\#(outer)]}"#)
        try await expectHello(tar.archive)
    }

    @Test func `an archive without a name is named after its file`() async throws {
        try await StoreFixture.use { fixture in
            var image = hello
            image.names = []
            _ = try await fixture.load(image.ociLayout(), name: "Web-1.tar")
            #expect(await fixture.store.find("localhost/web-1:latest") != nil)
            image.names = ["v2"]
            _ = try await fixture.load(image.ociLayout(), name: "web.tar.gz")
            #expect(await fixture.store.find("localhost/web:v2") != nil)
        }
    }

    @Test func `several images and names in one archive`() async throws {
        try await StoreFixture.use { fixture in
            let other = ImageTarball { $0.file("other", "") }
            let images = try await fixture.load(
                TarWriter.build { tar in
                    tar.add("a.json", .file, hello.configDocument)
                    tar.add("b.json", .file, other.configDocument)
                    tar.add("a.tar", .file, hello.layers[0])
                    tar.add("b.tar", .file, other.layers[0])
                    tar.file(
                        "manifest.json",
                        #"""
                        [{"Config":"a.json","RepoTags":["one","one:1.0"],"Layers":["a.tar"]},
                         {"Config":"b.json","RepoTags":null,"Layers":["b.tar"]}]
                        """#)
                })
            #expect(images.count == 2)
            #expect(images[0].repoTags == ["docker.io/library/one:1.0", "docker.io/library/one:latest"])
            #expect(images[1].repoTags == [])
            #expect(await fixture.store.find(images[1].id) != nil)
        }
    }

    @Test func `an image with two layers of the same content`() async throws {
        try await StoreFixture.use { fixture in
            let layer = TarWriter.build { $0.file("same", "same") }
            let images = try await fixture.load(ImageTarball([layer, layer]).dockerSave())
            #expect(images.first?.layers.count == 2)
        }
    }

    @Test func `the configuration is read as docker and others write it`() async throws {
        try await StoreFixture.use { fixture in
            var image = hello
            image.config = #"""
                {"User":"1000:50","Entrypoint":["/bin/web"],"Cmd":null,"Env":null,"WorkingDir":"/srv","StopSignal":"SIGQUIT",
                "Volumes":{"/data":{},"/cache":{}},"ExposedPorts":{"8080/tcp":{}},"Labels":{"a":"b"},"OnBuild":null}
                """#
            let config = try #require(try await fixture.load(image.dockerSave()).first).config
            #expect(config.user == "1000:50")
            #expect(config.entrypoint == ["/bin/web"])
            #expect(config.cmd == [])
            #expect(config.env == [])
            #expect(config.workingDir == "/srv")
            #expect(config.stopSignal == "SIGQUIT")
            #expect(config.volumes == ["/cache", "/data"])
            #expect(config.exposedPorts == ["8080/tcp"])
            #expect(config.labels == ["a": "b"])
            #expect(config.architecture == ImageTarball.hostArchitecture)
        }
    }

    @Test func `the digest of a docker archive is that of the manifest which a registry would hold`() async throws {
        try await StoreFixture.use { fixture in
            let image = try #require(try await fixture.load(hello.dockerSave()).first)
            let digest = try #require(image.repoDigests.first)
            #expect(digest.hasPrefix("localhost/test@sha256:"))
            #expect(await fixture.store.find(digest) == image)
            #expect(try await fixture.store.configDocument(image.id) == hello.configDocument)
        }
    }
}
