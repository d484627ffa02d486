import FoundationEssentials
import Glibc
import Images
import Synchronization
import TestKit
import Testing

/// Registries, and networks before them, that do what they shouldn't. Nothing of what they send may be left.
@Suite(.needs(.root)) struct HostileRegistryTests {
    private typealias Request = LoopbackServer.Request
    private typealias Reply = LoopbackServer.Reply

    private static let image = ImageTarball([
        TarWriter.build { $0.add("big", .file, (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }) }
    ])

    /// Serves one image, with some answers of the test's own.
    private func serve(
        _ image: ImageTarball = image, limits: ImageLimits = ImageLimits(), stall: Duration = .seconds(20),
        _ own: @escaping @Sendable (Request, RegistryContents) -> Reply?,
        _ body: (PullFixture, LoopbackServer) async throws -> Void
    ) async throws {
        let contents = RegistryContents()
        contents.put(image)
        try await LoopbackServer.use {
            own($0, contents) ?? contents.answer($0)
        } _: { server in
            try await PullFixture.use(limits: limits, stall: stall) { try await body($0, server) }
        }
    }

    private static func isLayer(_ request: Request) -> Bool {
        request.path.hasSuffix("/blobs/" + sha256(image.layers[0]))
    }

    @Test func `a broken connection is taken up where it broke`() async throws {
        let breaks = Mutex(0)
        try await serve { request, contents in
            guard Self.isLayer(request) else { return nil }
            let isEarly = breaks.withLock { breaks in
                breaks += 1
                return breaks < 4
            }
            var reply = contents.answer(request)
            if isEarly { reply.cut = 700_000 }
            return reply
        } _: { fixture, server in
            let pulled = try await fixture.pull("\(server.authority)/image")
            #expect(try status(fixture.store.tree(pulled) + "/big").st_size == 3_000_000)
            // Nothing that came is asked for again; the last piece before a break may not have come.
            let starts = server.requests.filter(Self.isLayer).map { request in
                Int(request.headers["range"]?.dropFirst(6).dropLast() ?? "0") ?? -1
            }
            #expect(starts.count == 4 && starts == starts.sorted() && Set(starts).count == 4, "\(starts)")
        }
    }

    @Test func `a server without ranges sends it once more from the start`() async throws {
        let breaks = Mutex(0)
        try await serve { request, _ in
            guard Self.isLayer(request) else { return nil }
            let isFirst = breaks.withLock { breaks in
                breaks += 1
                return breaks == 1
            }
            return Reply(body: Self.image.layers[0], cut: isFirst ? 500_000 : nil)
        } _: { fixture, server in
            try await fixture.pull("\(server.authority)/image")
            #expect(server.requests.count(where: Self.isLayer) == 2)
        }
    }

    @Test func `too many requests, and servers out of order, are asked again when they say`() async throws {
        for (status, headers) in [(429, [("Retry-After", "1")]), (503, []), (500, [])] {
            let asked = Mutex(0)
            try await serve { _, _ in
                let isFirst = asked.withLock { asked in
                    asked += 1
                    return asked <= 2
                }
                return isFirst ? .text(status, "", headers) : nil
            } _: { fixture, server in
                let start = ContinuousClock.now
                try await fixture.pull("\(server.authority)/image")
                // Two pauses of a second: the server's wish counts, not our own back-off of milliseconds.
                #expect(status != 429 || ContinuousClock.now - start >= .seconds(2))
            }
        }
        try await serve { _, _ in
            .text(429, "", [("Retry-After", "3600")])
        } _: { fixture, server in
            let text = try await fixture.refuse("\(server.authority)/image")
            #expect(text.contains("429") && text.contains("it asks to come back in 3600"))
            #expect(server.requests.count == 1)
        }
    }

    // Checked: without the comparison of digests the changed layer is in the store.
    @Test func `what isn't what was announced`() async throws {
        let layer = Self.image.layers[0]
        var changed = layer
        changed[2_000_000] ^= 1
        let replies: [(Reply, String)] = [
            (Reply(body: changed), "wrong digest: sha256:"),
            (Reply(body: layer + [0]), "bytes where \(layer.count) were announced"),
            (Reply(body: Array(layer.dropLast())), "where \(layer.count) were announced"),
            (Reply(body: layer, isEndless: true), "sends more than the \(layer.count) bytes announced"),
            (Reply(body: Array(layer.dropLast()), announced: .some(nil)), "the connection broke after"),
            (
                Reply(status: 206, headers: [("Content-Range", "bytes 5-9/10")], body: layer),
                "another part than was asked"
            ),
            (Reply(body: layer, cut: 1000), "the connection broke"),
        ]
        for (reply, reason) in replies {
            try await serve { request, _ in
                Self.isLayer(request) ? reply : nil
            } _: { fixture, server in
                let text = try await fixture.refuse("\(server.authority)/image")
                #expect(text.contains(reason), "\(text)")
            }
        }
    }

    // Checked: with sums of what was announced either of them ends the process, as numbers that are too large.
    @Test func `lengths beyond all numbers, and an endpoint after one that sent too much`() async throws {
        let layer = Self.image.layers[0]
        try await serve { request, contents in
            guard Self.isLayer(request) else { return nil }
            var reply = contents.answer(request)
            guard request.headers["range"] == nil else {
                reply.body = []
                reply.announced = .some(nil)
                reply.headers.append(("Content-Length", "18446744073709551610"))
                return reply
            }
            reply.cut = 700_000
            return reply
        } _: { fixture, server in
            try await fixture.refuse("\(server.authority)/image", says: "were announced")
        }
        try await LoopbackServer.use { request in
            Self.isLayer(request) ? Reply(body: layer, announced: .some(nil), isEndless: true) : .text(404)
        } _: { mirror in
            try await serve { _, _ in
                nil
            } _: { fixture, server in
                try fixture.configure(
                    server.authority,
                    "server = 'http://\(server.authority)'\n[host.'http://\(mirror.authority)']\ncapabilities = ['pull']\n"
                )
                // What came before the lie is what was asked for, and the registry itself gives the rest.
                try await fixture.pull("\(server.authority)/image")
            }
        }
    }

    @Test func `manifests and configurations that aren't what was announced`() async throws {
        let manifest = Self.image.manifest
        let digest = sha256(manifest)
        try await serve { request, _ in
            request.path.contains("/manifests/") ? Reply(body: manifest + [0x20]) : nil
        } _: {
            fixture, server in
            try await fixture.refuse("\(server.authority)/image@\(digest)", says: "wrong digest")
        }
        try await serve { request, _ in
            request.path.contains("/manifests/")
                ? Reply(headers: [("Docker-Content-Digest", digest)], body: manifest + [0x20]) : nil
        } _: { fixture, server in
            try await fixture.refuse("\(server.authority)/image", says: "wrong digest")
        }
        let config = Self.image.configDocument
        try await serve { request, _ in
            request.path.hasSuffix(sha256(config)) ? Reply(body: config.dropLast() + [0x20, 0x7d]) : nil
        } _: { fixture, server in
            try await fixture.refuse("\(server.authority)/image", says: "announced")
        }
        for reply in [Reply(body: [UInt8](repeating: 0x20, count: 5 << 20)), Reply(isEndless: true)] {
            try await serve { request, _ in
                request.path.contains("/manifests/") ? reply : nil
            } _: { fixture, server in
                try await fixture.refuse("\(server.authority)/image", says: "bytes of a document")
            }
        }
    }

    // Checked: without the look at what it has of both, the document that is manifest and index at once is taken for an index.
    @Test func `manifests that name what isn't done, or nothing at all`() async throws {
        let image = Self.image
        let config = image.descriptor("config.v1+json", image.configDocument)
        func layer(_ type: String) -> String {
            #"{"mediaType":"\#(type)","digest":"\#(sha256(image.layers[0]))","size":3000000}"#
        }
        func manifest(_ layers: String, _ more: String = "") -> String {
            #"{"schemaVersion":2,"config":\#(config),"layers":[\#(layers)]\#(more)}"#
        }
        let many = Array(repeating: layer("application/vnd.oci.image.layer.v1.tar"), count: 600).joined(separator: ",")
        let index = RegistryContents.indexType
        let cases: [(String, String, String?)] = [
            (manifest(layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")), "foreign layers", nil),
            (manifest(layer("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")), "foreign layers", nil),
            (manifest(layer("application/vnd.oci.image.layer.v1.tar+encrypted")), "an encrypted layer", nil),
            (manifest(layer("application/x-surprise")), #"not known: "application/x-surprise""#, nil),
            (manifest(""), "lists 0 layers and the configuration 1", nil),
            (manifest(many), "600 layers, more than 500", nil),
            (manifest("", #","manifests":[]"#), "an index and a manifest at once", nil),
            (#"{"schemaVersion":2}"#, "neither an image manifest nor an index", nil),
            (#"{"schemaVersion":1,"fsLayers":[]}"#, "schema version 1", nil),
            (
                #"{"schemaVersion":1}"#, "docker's schema 1",
                "application/vnd.docker.distribution.manifest.v1+prettyjws"
            ),
            (manifest(layer("application/vnd.oci.image.layer.v1.tar")), "and it is a manifest", index),
            (
                #"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"\#(sha256([]))","size":0},"layers":[]}"#,
                "not a container image", nil
            ),
            (
                #"{"schemaVersion":2,"config":{"digest":"md5:00","size":0},"layers":[]}"#,
                "is no sha256 digest", nil
            ),
            (
                #"{"schemaVersion":2,"config":{"digest":"\#(sha256([]))","size":99999999},"layers":[]}"#,
                "are the most", nil
            ),
            ("[[[[", "not JSON", nil), (String(repeating: "[", count: 100_000), "not a document", nil),
        ]
        for (text, reason, type) in cases {
            try await serve { request, _ in
                guard request.path.contains("/manifests/") else { return nil }
                return Reply(
                    headers: [("Content-Type", type ?? RegistryContents.manifestType)], body: Array(text.utf8))
            } _: { fixture, server in
                let message = try await fixture.refuse("\(server.authority)/image")
                #expect(message.contains(reason), "\(message)")
            }
        }
    }

    @Test func `an index that leads to itself in ever new clothes`() async throws {
        var inner = Self.image.manifest
        var all: [[UInt8]] = []
        for _ in 0..<6 {
            let entry = Self.image.descriptor("index.v1+json", inner)
            inner = Array(#"{"schemaVersion":2,"manifests":[\#(entry)]}"#.utf8)
            all.append(inner)
        }
        let indexes = all
        try await serve { request, contents in
            for index in indexes { contents.put(manifest: index, type: RegistryContents.indexType) }
            return request.path.hasSuffix("/latest")
                ? Reply(headers: [("Content-Type", RegistryContents.indexType)], body: indexes[5]) : nil
        } _: { fixture, server in
            try await fixture.refuse("\(server.authority)/image", says: "indexes nested deeper than 4")
        }
    }

    // Checked: without the watch the pull of the silent and of the trickling server doesn't end.
    @Test func `a server that stops sending is left, also one that trickles`() async throws {
        for reply in [Reply(isSilent: true), Reply(body: Self.image.layers[0], trickle: 20_000)] {
            try await serve(stall: .milliseconds(300)) { request, _ in
                Self.isLayer(request) ? reply : nil
            } _: {
                fixture, server in
                let text = try await fixture.refuse("\(server.authority)/image")
                #expect(text.contains("bytes came in") || text.contains("nothing came for"), "\(text)")
            }
        }
        try await serve(stall: .milliseconds(200)) { _, _ in
            Reply(isSilent: true)
        } _: { fixture, server in
            let code = try await fixture.code("\(server.authority)/image")
            #expect(code == .deadline)
        }
    }

    @Test func `redirects in circles, to nowhere, and into other protocols`() async throws {
        for (location, reason) in [
            ("/v2/image/manifests/latest", "led on more than 10 times"), ("ftp://x/", "which is no URL"),
            ("", "which is no URL"), ("http://127.0.0.1:1/", "no connection"),
        ] {
            try await serve { _, _ in
                .text(302, "", [("Location", location)])
            } _: { fixture, server in
                let text = try await fixture.refuse("\(server.authority)/image")
                #expect(text.contains(reason), "\(text)")
            }
        }
    }

    @Test func `a pull that nobody waits for any more ends, and leaves nothing`() async throws {
        try await serve { request, contents in
            guard Self.isLayer(request) else { return nil }
            var reply = contents.answer(request)
            reply.trickle = 1000
            return reply
        } _: { fixture, server in
            let before = try fixture.store.kept()
            let pulls = (0..<3).map { _ in Task { try await fixture.pull("\(server.authority)/image") } }
            try await eventually("the layer is asked for") { server.requests.contains(where: Self.isLayer) }
            // One who goes doesn't take the others along.
            pulls[0].cancel()
            await #expect(throws: ImageError.cancelled("\(server.authority)/image:latest")) { try await pulls[0].value }
            #expect(try fixture.store.kept() != before)
            for pull in pulls[1...] { pull.cancel() }
            for pull in pulls[1...] { await #expect(throws: ImageError.self) { try await pull.value } }
            #expect(try fixture.store.kept() == before)
            #expect(server.requests.count(where: Self.isLayer) == 1)
        }
    }

    @Test func `one bad layer takes the good ones along, but not those of another image`() async throws {
        let good = TarWriter.build { $0.file("good", "good") }
        let bad = TarWriter.build { $0.file("../../etc/passwd", "x") }
        let hostile = ImageTarball([good, TarWriter.build { $0.file("more", "more") }, bad])
        let contents = RegistryContents()
        contents.put(hostile, tags: ["bad"])
        contents.put(ImageTarball([good]), tags: ["good"])
        try await LoopbackServer.use(contents.answer) { server in
            try await PullFixture.use { fixture in
                let text = try await fixture.refuse("\(server.authority)/image:bad")
                #expect(text.contains("layer \(sha256(bad)): ../../etc/passwd"), "\(text)")
                #expect(try fixture.store.kept().filter { $0.hasPrefix("layers/") } == [])
                let image = try await fixture.pull("\(server.authority)/image:good")
                try await fixture.refuse("\(server.authority)/image:bad")
                #expect(try text2(fixture, image) == "good")
            }
        }
    }

    private func text2(_ fixture: PullFixture, _ image: ImageRecord) throws -> String {
        try text(fixture.store.tree(image) + "/good")
    }

    // Checked: without the budget it is unpacked.
    @Test func `a bomb from a registry is stopped as one from a tarball`() async throws {
        var limits = ImageLimits()
        limits.ratioFloorBytes = 1 << 20
        limits.ratio = 10
        var image = ImageTarball { $0.add("zeros", .file, [UInt8](repeating: 0, count: 8 << 20)) }
        image.pack = { gzip($0) }
        try await serve(image, limits: limits) { _, _ in
            nil
        } _: { fixture, server in
            try await fixture.refuse("\(server.authority)/image", says: "a bomb")
        }
        var small = ImageLimits()
        small.layerBytes = 1000
        try await serve(limits: small) { _, _ in
            nil
        } _: { fixture, server in
            try await fixture.refuse("\(server.authority)/image", says: "1000 are the most")
        }
    }
}
