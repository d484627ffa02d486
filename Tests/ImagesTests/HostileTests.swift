import Glibc
import Images
import TestKit
import Testing

/// Tarballs that were made to do harm, or came apart on the way: each is refused with one clear line, and leaves nothing.
@Suite(.needs(.root)) struct HostileTests {
    /// A name for a case, and the layer that it is about.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What the refusal must say.
        let reason: String
        let layer: @Sendable (inout TarWriter) -> Void
        init(_ name: String, _ reason: String, _ layer: @escaping @Sendable (inout TarWriter) -> Void) {
            testDescription = name
            self.reason = reason
            self.layer = layer
        }
    }

    static let layers: [Case] = [
        Case("dot dot", "\"..\" in the name") { $0.file("../escape", "x") },
        Case("dot dot inside", "\"..\" in the name") { $0.file("a/../../escape", "x") },
        Case("dot dot directory", "\"..\" in the name") { $0.directory("a/..") },
        Case("dot dot in an extended header", "\"..\" in the name") {
            $0.add("ok", .file, [1], pax: [("path", Array("../../escape".utf8))])
        },
        Case("absolute", "the name is absolute") { $0.file("/etc/cron.d/escape", "x") },
        Case("zero byte", "zero byte") { $0.add("ok", .file, [1], pax: [("path", [0x61, 0, 0x62])]) },
        Case("long part", "longer than 255 bytes") { $0.file(String(repeating: "n", count: 256), "x") },
        Case("long name", "longer than 4095 bytes") { $0.file(String(repeating: "nnn/", count: 1100), "x") },
        Case("deep", "nested deeper") { $0.file(String(repeating: "d/", count: 600) + "f", "x") },
        Case("relative symlink out", "leads out of the root") { $0.add("a/evil", .symlink, link: "../../etc/passwd") },
        Case("relative symlink out, dressed up", "leads out of the root") {
            $0.add("a/evil", .symlink, link: "b/../../../etc/passwd")
        },
        Case("through an absolute symlink", "leads out of the root") { tar in
            tar.add("evil", .symlink, link: "/tmp")
            tar.file("evil/kubesim-escape", "x")
        },
        Case("through two symlinks", "leads out of the root") { tar in
            tar.add("a/evil", .symlink, link: "/")
            tar.add("b", .symlink, link: "a/evil")
            tar.file("b/tmp/kubesim-escape", "x")
        },
        Case("directory through a symlink", "leads out of the root") { tar in
            tar.add("evil", .symlink, link: "/tmp")
            tar.directory("evil/kubesim-escape")
        },
        Case("hard link through a symlink", "leads out of the root") { tar in
            tar.add("etc", .symlink, link: "/etc")
            tar.add("stolen", .hardLink, link: "etc/hostname")
        },
        Case("whiteout through a symlink", "leads out of the root") { tar in
            tar.add("etc", .symlink, link: "/etc")
            tar.file("etc/x/y", "")
        },
        Case("symlink loop", "symlink to itself") { tar in
            tar.add("a", .symlink, link: "b")
            tar.add("b", .symlink, link: "a")
            tar.file("a/x", "x")
        },
        Case("below a file", "is not a directory") { tar in
            tar.file("a", "file")
            tar.file("a/b", "x")
        },
        Case("below nothing", "leads nowhere") { tar in
            tar.add("a", .symlink, link: "gone")
            tar.file("a/b", "x")
        },
        Case("hard link to the host", "which the layer doesn't hold") {
            $0.add("stolen", .hardLink, link: "/etc/passwd")
        },
        Case("hard link out", "\"..\" in the name") { $0.add("stolen", .hardLink, link: "../../../../../etc/passwd") },
        Case("hard link to a directory", "is a directory") { tar in
            tar.directory("d")
            tar.add("stolen", .hardLink, link: "d")
        },
        Case("hard link to the root", "it is no file") { $0.add("stolen", .hardLink, link: ".") },
        Case("empty symlink", "a symlink's target") { $0.add("s", .symlink) },
        Case("disk", "outside of a dev directory") { $0.add("etc/disk", .blockDevice, device: (8, 0)) },
        Case("memory", "outside of a dev directory") { $0.add("mem", .characterDevice, device: (1, 1)) },
        Case("whiteout device", "outside of a dev directory") { $0.add("gone", .characterDevice) },
        Case("whiteout of nothing", "a whiteout of nothing") { $0.file(".wh.", "") },
        Case("whiteout of dot", "a whiteout of nothing") { $0.file("a/.wh..", "") },
        Case("whiteout of dot dot", "a whiteout of nothing") { $0.file("a/.wh...", "") },
        Case("whiteout of a whiteout", "a whiteout of nothing") { $0.file("a/.wh..wh.b", "") },
        Case("whiteout with a way out", "\"..\" in the name") { $0.file(".wh./../x", "") },
        Case("below a whiteout", "lies below a whiteout") { $0.file(".wh.a/b", "") },
        Case("root that is a file", "must be a directory") { $0.add(".", .symlink, link: "x") },
        Case("uid", "uid 4294967296 is out of range") {
            $0.add("f", .file, [], pax: [("uid", Array("4294967296".utf8))])
        },
        Case("negative gid", "gid -1 is out of range") { $0.add("f", .file, [], pax: [("gid", Array("-1".utf8))]) },
        Case("negative size", "out of range") { $0.add("f", .file, [], pax: [("size", Array("-1".utf8))]) },
        Case("size beyond the end", "truncated") { $0.add("f", .file, [1], size: 1 << 30) },
        Case("enormous size", "truncated") {
            $0.add("f", .file, [1], pax: [("size", Array("4000000000000000000".utf8))])
        },
        Case("impossible size", "out of range") {
            $0.add("f", .file, [1], pax: [("size", Array("9000000000000000000".utf8))])
        },
        Case("record of no length", "record's length") { $0.add("x", .pax, Array("abc path=x\n".utf8)) },
        Case("record beyond the end", "record's length") { $0.add("x", .pax, Array("99 path=x\n".utf8)) },
        Case("huge extended header", "extended headers of more than") {
            $0.add("x", .pax, [], size: 2 << 20)
        },
        Case("many extended headers", "extended headers of more than") { tar in
            for _ in 0..<3 { tar.add("x", .longName, [UInt8](repeating: 97, count: 500_000)) }
        },
        Case("sparse map out of order", "the map of a sparse file's data is wrong") {
            $0.add(
                "s", .file, [UInt8](repeating: 1, count: 20),
                pax: [("GNU.sparse.size", Array("100".utf8)), ("GNU.sparse.map", Array("50,10,0,10".utf8))])
        },
        Case("sparse map beyond the file", "the map of a sparse file's data is wrong") {
            $0.add(
                "s", .file, [UInt8](repeating: 1, count: 20),
                pax: [("GNU.sparse.size", Array("30".utf8)), ("GNU.sparse.map", Array("0,10,25,10".utf8))])
        },
        Case("sparse map that overflows", "out of range") {
            $0.add(
                "s", .file, [1],
                pax: [("GNU.sparse.size", Array("30".utf8)), ("GNU.sparse.map", Array("9223372036854775807,1".utf8))])
        },
        Case("endless sparse map", "no list of numbers") {
            $0.add(
                "s", .file, [UInt8](repeating: 49, count: 4096),
                pax: [("GNU.sparse.major", [49]), ("GNU.sparse.minor", [48]), ("GNU.sparse.realsize", [49])])
        },
        Case("no tar at all", "not a tar archive") { $0.append([UInt8](repeating: 97, count: 5000)) },
    ]

    // Checked: resolved without RESOLVE_BENEATH, what goes through a symlink is written on the host; without the looks at absolute
    // names, at targets that climb, at devices' places and at the headers' sum each of their cases is unpacked.
    @Test(arguments: layers) func `a hostile layer`(_ hostile: Case) async throws {
        try await StoreFixture.use { fixture in
            let image = ImageTarball { tar in
                tar.directory("before")
                tar.file("before/file", "x")
                hostile.layer(&tar)
            }
            let text = try await fixture.refuse(image.dockerSave())
            #expect(text.contains(hostile.reason), "\(text)")
            #expect(text.contains("layer.tar"))
            #expect(!text.contains("\n"))
            #expect(!exists("/tmp/kubesim-escape"))
            #expect(try status("/etc/passwd").st_nlink == 1)
        }
    }

    @Test func `a good layer below a hostile one goes too, but not when another image has it`() async throws {
        try await StoreFixture.use { fixture in
            let good = TarWriter.build { $0.file("good", "x") }
            let bad = TarWriter.build { $0.file("../bad", "x") }
            try await fixture.refuse(ImageTarball([good, bad]).ociLayout())
            #expect(try fixture.kept() == [])
            let image = try #require(try await fixture.load(ImageTarball([good]).ociLayout()).first)
            try await fixture.refuse(ImageTarball([good, bad]).ociLayout())
            #expect(await fixture.store.list() == [image])
        }
    }

    // MARK: Digests

    // Checked: without the comparison of digests the image is in the store, as in the next two tests.
    @Test func `a layer that is not what the configuration says`() async throws {
        try await StoreFixture.use { fixture in
            var image = ImageTarball { $0.file("file", "x") }
            image.diffIDs = [sha256([1])]
            for bytes in [image.dockerSave(), image.ociLayout()] {
                try await fixture.refuse(bytes, says: "wrong digest")
            }
        }
    }

    @Test func `each single changed byte of content is noticed, also when the image is there already`() async throws {
        try await StoreFixture.use { fixture in
            let image = ImageTarball { $0.add("file", .file, [UInt8](repeating: 7, count: 3000)) }
            for good in [image.ociLayout(), image.dockerSave()] {
                // In the layer's file data: nothing but the digest can tell.
                let place = try #require(good.firstIndex(of: 7)) + 1500
                var bad = good
                bad[place] = 8
                try await fixture.refuse(bad, says: "wrong digest")
                _ = try await fixture.load(good)
                try await fixture.refuse(bad, says: "wrong digest")
                try await fixture.store.remove("localhost/test")
            }
        }
    }

    @Test func `a configuration or manifest that is not what its name says`() async throws {
        try await StoreFixture.use { fixture in
            let image = ImageTarball { $0.file("file", "x") }
            for (bytes, piece) in [
                (image.dockerSave(), #"PATH=/bin"#), (image.ociLayout(), #"PATH=/bin"#),
                (image.ociLayout(), #"layer.v1"#),
            ] {
                var bad = bytes
                let place = try #require(bad.firstRange(of: Array(piece.utf8))).lowerBound
                bad[place] ^= 0x20
                try await fixture.refuse(bad, says: "wrong digest")
            }
        }
    }

    @Test func `sizes that were announced differently`() async throws {
        try await StoreFixture.use { fixture in
            let image = ImageTarball { $0.file("file", "x") }
            var text = String(decoding: image.ociLayout(), as: UTF8.self)
            text = text.replacing("\"size\":\(image.manifest.count)", with: "\"size\":\(image.manifest.count + 1)")
            try await fixture.refuse(Array(text.utf8), says: "were announced")
        }
    }

    // MARK: Damage

    @Test func `a tarball that is cut off anywhere`() async throws {
        try await StoreFixture.use { fixture in
            let image = ImageTarball { $0.add("file", .file, [UInt8](repeating: 7, count: 3000)) }
            for whole in [image.dockerSave(), image.ociLayout(), gzip(image.dockerSave()), zstd(image.ociLayout())] {
                // The last kilobyte of a plain archive is its end mark, which nothing is lost with.
                let last = whole.count - (whole.first == 0x1f || whole.first == 0x28 ? 12 : 1025)
                for step in 0..<12 { try await fixture.refuse(Array(whole[..<(last * step / 11)])) }
            }
        }
    }

    @Test func `what is no image`() async throws {
        try await StoreFixture.use { fixture in
            try await fixture.refuse([], says: "an empty file")
            try await fixture.refuse(Array("#!/bin/sh\n".utf8), says: "truncated")
            try await fixture.refuse([UInt8](repeating: 97, count: 4096), says: "not a tar archive")
            try await fixture.refuse([UInt8](repeating: 0, count: 10240), says: "an empty archive")
            try await fixture.refuse(TarWriter.build { $0.file("a", "b") }, says: "neither manifest.json")
            try await fixture.refuse([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0], says: "xz")
            try await fixture.refuse(gzip(Array("hello".utf8)), says: "truncated")
            try await fixture.refuse([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], says: "decompress")
            try await fixture.refuse(TarWriter.build { $0.file("repositories", "{}") }, says: "before 1.10")
            await #expect(throws: ImageError.self) {
                try await fixture.store.load(tarball: fixture.scratch.file("none"))
            }
            await #expect(throws: ImageError.self) { try await fixture.store.load(tarball: fixture.scratch.path) }
        }
    }

    @Test func `bytes changed at random never do worse than a refusal`() async throws {
        try await StoreFixture.use { fixture in
            var image = ImageTarball { tar in
                tar.directory("a")
                tar.file("a/file", "content")
                tar.add("link", .hardLink, link: "a/file")
                tar.add("long", .file, [1], pax: [("path", Array(String(repeating: "p", count: 150).utf8))])
                tar.file(".wh.x", "")
            }
            image.pack = { gzip($0) }
            var random = SystemRandomNumberGenerator()
            for good in [image.dockerSave(), image.ociLayout()] {
                for _ in 0..<150 {
                    var bytes = good
                    for _ in 0..<Int.random(in: 1...6, using: &random) {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                            in: 0...255, using: &random)
                    }
                    let path = try fixture.write("random.tar", bytes)
                    do throws(ImageError) {
                        for image in try await fixture.store.load(tarball: path) {
                            try await fixture.store.remove(image.id)
                        }
                    } catch {
                        guard case .refused = error else {
                            Issue.record("\(error)")
                            continue
                        }
                    }
                    #expect(try fixture.kept() == [])
                }
            }
        }
    }

    // MARK: The outer archive

    @Test func `a link or device where a blob must be a file`() async throws {
        try await StoreFixture.use { fixture in
            let image = ImageTarball { $0.file("file", "x") }
            let cases: [(String, (inout TarWriter) -> Void)] = [
                ("leads out of the archive", { $0.add("layer.tar", .symlink, link: "/etc/passwd") }),
                ("leads out of the archive", { $0.add("a/layer.tar", .symlink, link: "../../etc/passwd") }),
                ("leads out of the archive", { $0.add("layer.tar", .hardLink, link: "../etc/passwd") }),
                ("where a blob must be a file", { $0.add("blobs/sha256/x", .symlink, link: "y") }),
                ("has no place", { $0.add("layer.tar", .characterDevice, device: (1, 3)) }),
                ("has no place", { $0.add("disk", .blockDevice, device: (8, 0)) }),
                ("has no place", { $0.add("pipe", .fifo) }),
                ("\"..\" in the name", { $0.file("../manifest.json", "x") }),
                ("the name is absolute", { $0.file("/etc/passwd", "x") }),
            ]
            for (reason, extra) in cases {
                for bytes in [image.dockerSave(extra), image.ociLayout(extra)] {
                    let text = try await fixture.refuse(bytes)
                    #expect(text.contains(reason), "\(text)")
                }
            }
        }
    }

    @Test func `documents that are not what they should be`() async throws {
        try await StoreFixture.use { fixture in
            func docker(_ manifest: String, _ reason: String) async throws {
                try await fixture.refuse(TarWriter.build { $0.file("manifest.json", manifest) }, says: reason)
            }
            try await docker("{", "manifest.json: not a document")
            try await docker("{}", "manifest.json: not a document")
            try await docker(#"[{"Layers":[]}]"#, "Config is missing")
            try await docker(#"[{"Config":"x.json"}]"#, "x.json: missing from the archive")
            try await docker(#"[{"Config":"../../etc/passwd"}]"#, "..")
            try await docker(String(repeating: "[", count: 100_000), "not a document")
            try await docker("[" + String(repeating: " ", count: 5 << 20) + "]", "more than the")
            try await docker("[]", "no image for linux/")
            let good = ImageTarball { $0.file("file", "x") }
            var image = good
            image.architecture = "s390x"
            try await fixture.refuse(image.dockerSave(), says: "made for linux/s390x")
            image = good
            image.os = "windows"
            try await fixture.refuse(image.ociLayout(), says: "made for windows/")
            image = good
            image.diffIDs = []
            try await fixture.refuse(image.dockerSave(), says: "1 layers and the configuration 0")
            image = good
            image.diffIDs = ["sha256:../../../../etc"]
            try await fixture.refuse(image.dockerSave(), says: "is no sha256 digest")
            image = good
            image.names = ["../../escape"]
            try await fixture.refuse(image.dockerSave(), says: "invalid image reference")
            image = good
            image.config = #"{"Cmd":["a\u0000b"]}"#
            try await fixture.refuse(image.dockerSave(), says: "zero byte")
            image = good
            image.config = #"{"Env":[1]}"#
            try await fixture.refuse(image.dockerSave(), says: "not a document")
        }
    }

    @Test func `indexes that go round in circles or too deep`() async throws {
        try await StoreFixture.use { fixture in
            let image = ImageTarball { $0.file("file", "x") }
            let text = try await fixture.refuse(
                TarWriter.build { tar in
                    tar.file("oci-layout", "{}")
                    image.addBlobs(to: &tar)
                    var inner = image.manifest
                    for _ in 0..<6 {
                        inner = Array(
                            #"{"schemaVersion":2,"manifests":[\#(image.descriptor("index.v1+json", inner))]}"#.utf8)
                        tar.add("blobs/sha256/" + hex(inner), .file, inner)
                    }
                    tar.file("index.json", String(decoding: inner, as: UTF8.self))
                })
            #expect(text.contains("nested deeper than 4"))
        }
    }

    // MARK: Bombs

    // Checked: without the budget all sixteen megabytes are unpacked.
    @Test func `a bomb is stopped long before it goes off`() async throws {
        var limits = ImageLimits()
        limits.ratioFloorBytes = 1 << 20
        limits.ratio = 50
        limits.unpackedBytes = 64 << 20
        try await StoreFixture.use(limits: limits) { fixture in
            var image = ImageTarball { $0.add("zeros", .file, [UInt8](repeating: 0, count: 16 << 20)) }
            image.pack = { gzip($0) }
            try await fixture.refuse(image.ociLayout(), says: "a bomb")
            image.pack = { zstd($0) }
            try await fixture.refuse(image.ociLayout(), says: "a bomb")
            image.pack = { $0 }
            try await fixture.refuse(gzip(image.ociLayout()), says: "a bomb")
            // A bomb in a bomb.
            image.pack = { gzip($0) }
            try await fixture.refuse(gzip(image.dockerSave()), says: "a bomb")
        }
        limits.ratio = 1 << 40
        limits.unpackedBytes = 4 << 20
        try await StoreFixture.use(limits: limits) { fixture in
            var image = ImageTarball { $0.add("zeros", .file, [UInt8](repeating: 0, count: 16 << 20)) }
            image.pack = { gzip($0) }
            try await fixture.refuse(image.ociLayout(), says: "unpacks to more than 4194304 bytes")
        }
    }

    // Checked: without the three counts each of them is taken.
    @Test func `more entries than anybody needs`() async throws {
        var limits = ImageLimits()
        limits.layerEntries = 100
        limits.archiveEntries = 50
        try await StoreFixture.use(limits: limits) { fixture in
            let image = ImageTarball { tar in for number in 0..<101 { tar.file("f\(number)", "") } }
            try await fixture.refuse(image.ociLayout(), says: "more than 100 entries")
            let implied = ImageTarball { tar in
                for number in 0..<3 { tar.file("\(number)/" + String(repeating: "d/", count: 50) + "f", "") }
            }
            try await fixture.refuse(implied.ociLayout(), says: "more than 100 directories")
            let good = ImageTarball { $0.file("file", "x") }
            let outer = good.dockerSave { tar in for number in 0..<50 { tar.file("f\(number)", "") } }
            try await fixture.refuse(outer, says: "more than 50 entries")
        }
    }
}
