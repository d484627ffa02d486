import Glibc
import Images
import TestKit
import Testing

/// What the store says that it takes is what `du` says.
@Suite(.needs(.root, .overlayfs)) struct UsageTests {
    private func du(_ paths: [String]) async throws -> DiskUsage {
        func sum(_ what: String) async throws -> UInt64 {
            let outcome = try await Command(["du", "-s", what] + paths).run()
            return outcome.output.split(separator: "\n").reduce(0) { $0 + (UInt64($1.prefix { $0 != "\t" }) ?? 0) }
        }
        return DiskUsage(bytes: try await sum("--block-size=1"), inodes: try await sum("--inodes"))
    }

    private let image = ImageTarball([
        TarWriter.build { tar in
            for number in 0..<200 { tar.file("etc/deep/\(number)", String(repeating: "x", count: number * 97)) }
            tar.add("linked", .hardLink, link: "etc/deep/199")
            tar.add("long", .symlink, link: String(repeating: "far/", count: 40))
        },
        TarWriter.build { tar in
            tar.file("replaced", String(repeating: "y", count: 50_000))
            tar.file("replaced", "short")
            tar.file("etc/.wh.deep", "")
        },
    ])

    @Test func `images and what containers write, each for itself`() async throws {
        try await StoreFixture.use { fixture in
            let image = try #require(try await fixture.load(image.ociLayout()).first)
            let target = fixture.scratch.file("root")
            _ = try await fixture.store.mountRootfs(image: image, container: "one", at: target)
            fixture.scratch.atEnd { umount2(target, 2) }
            try fixture.scratch.write("root/written", String(repeating: "z", count: 100_000))
            let usage = try await fixture.store.filesystemUsage()
            #expect(usage.images == (try await du([fixture.root + "/layers", fixture.root + "/content"])))
            #expect(usage.snapshots == (try await du([fixture.root + "/snapshots"])))
            #expect(usage.snapshots.bytes >= 100_000)
        }
    }

    @Test func `removing an image frees what it said`() async throws {
        try await StoreFixture.use { fixture in
            let layers = [fixture.root + "/layers"]
            let before = try await du(layers)
            let image = try #require(try await fixture.load(image.ociLayout()).first)
            let there = try await du(layers)
            let documents = UInt64(self.image.configDocument.count + self.image.manifest.count)
            #expect(image.size - documents == there.bytes - before.bytes)
            try await fixture.store.remove(image.id)
            #expect(try await du(layers) == before)
            let usage = try await fixture.store.filesystemUsage()
            #expect(usage.images == (try await du(layers + [fixture.root + "/content"])))
        }
    }
}
