import FoundationEssentials
import Glibc
import Images
import TestKit
import Testing

/// Names, removal, and what survives a restart.
@Suite(.needs(.root)) struct CatalogTests {
    private func image(_ content: String, _ names: String...) -> ImageTarball {
        var image = ImageTarball([
            TarWriter.build { $0.file("base", "base") }, TarWriter.build { $0.file("content", content) },
        ])
        image.names = names
        return image
    }

    @Test func `an image is found by name, tag, digest, id and the beginning of its id`() async throws {
        try await StoreFixture.use { fixture in
            let image = try #require(
                try await fixture.load(image("a", "busybox:1.36", "localhost/box").dockerSave()).first)
            let digest = try #require(image.repoDigests.first { $0.hasPrefix("docker.io/") })
            let found = [
                "busybox:1.36", "docker.io/busybox:1.36", "docker.io/library/busybox:1.36",
                "index.docker.io/library/busybox:1.36",
                "localhost/box", "localhost/box:latest", image.id, String(image.id.dropFirst(7)),
                String(image.id.dropFirst(7).prefix(12)), String(image.id.prefix(19)), digest,
                String(digest.drop { $0 != "@" }.dropFirst()), digest.replacing("docker.io/library/", with: ""),
            ]
            for reference in found { #expect(await fixture.store.find(reference) == image, "\(reference)") }
            for reference in ["busybox", "busybox:1.37", "box", "", ":", "Busybox", "localhost/box@sha256:12", "zz"] {
                #expect(await fixture.store.find(reference) == nil, "\(reference)")
            }
        }
    }

    @Test func `a name moves to the image that was loaded last, and the one before loses its pin with its last name`()
        async throws
    {
        try await StoreFixture.use { fixture in
            let first = try #require(try await fixture.load(image("a", "localhost/a").dockerSave(), pinned: true).first)
            let second = try #require(
                try await fixture.load(image("b", "localhost/a").dockerSave(), pinned: true).first)
            #expect(await fixture.store.find("localhost/a") == second)
            let before = try #require(await fixture.store.find(first.id))
            #expect(before.repoTags == [])
            #expect(!before.pinned)
            #expect(second.pinned)
        }
    }

    @Test func `the last name takes the image along, and layers that another image uses stay`() async throws {
        try await StoreFixture.use { fixture in
            let one = try #require(
                try await fixture.load(image("a", "localhost/a", "localhost/a:2").dockerSave()).first)
            _ = try await fixture.load(image("b", "localhost/b").dockerSave())
            #expect(try fixture.kept().filter { $0.hasPrefix("layers/") }.count == 3)
            try await fixture.store.remove("localhost/a")
            #expect(await fixture.store.find(one.id)?.repoTags == ["localhost/a:2"])
            try await fixture.store.remove("localhost/a:2")
            #expect(await fixture.store.find(one.id) == nil)
            #expect(try fixture.kept().filter { $0.hasPrefix("layers/") }.count == 2)
            await #expect(throws: ImageError.notFound(reference: "localhost/a")) {
                try await fixture.store.remove("localhost/a")
            }
            try await fixture.store.remove("localhost/b")
            #expect(try fixture.kept() == [])
        }
    }

    @Test func `by its id an image goes with all its names`() async throws {
        try await StoreFixture.use { fixture in
            let one = try #require(
                try await fixture.load(image("a", "localhost/a", "localhost/a:2").dockerSave()).first)
            try await fixture.store.remove(one.id)
            #expect(await fixture.store.list() == [])
            #expect(try fixture.kept() == [])
        }
    }

    @Test(.needs(.overlayfs)) func `a container keeps the layers of an image that is removed, also over a restart`()
        async throws
    {
        try await Scratch.use { scratch in
            let target = scratch.file("rootfs")
            let tarball = scratch.file("image.tar")
            try Data(image("a", "localhost/a").dockerSave()).write(to: URL(filePath: tarball))
            scratch.atEnd { umount2(target, 2) }
            do {
                let store = try await ImageStore(root: scratch.file("store"), logger: StoreFixture.quiet)
                let image = try #require(try await store.load(tarball: tarball).first)
                _ = try await store.mountRootfs(image: image, container: "c", at: target)
                try await store.remove("localhost/a")
                #expect(await store.list() == [])
                #expect(try text(target + "/content") == "a")
            }
            let store = try await ImageStore(root: scratch.file("store"), logger: StoreFixture.quiet)
            #expect(try text(target + "/content") == "a")
            let fixture = StoreFixture(scratch: scratch, store: store)
            #expect(try fixture.kept().filter { $0.hasPrefix("layers/") }.count == 2)
            try await store.unmountRootfs(container: "c", at: target)
            try await store.removeSnapshot(container: "c")
            #expect(try fixture.kept() == [])
        }
    }

    @Test func `the same tarball again unpacks nothing again`() async throws {
        try await StoreFixture.use { fixture in
            let bytes = image("a", "localhost/a").dockerSave()
            let first = try #require(try await fixture.load(bytes).first)
            let layers = fixture.root + "/layers"
            let names = try FileManager.default.contentsOfDirectory(atPath: layers)
            let before = try names.map { try status("\(layers)/\($0)/fs").st_ino }
            #expect(try await fixture.load(bytes, pinned: true).first?.id == first.id)
            #expect(try names.map { try status("\(layers)/\($0)/fs").st_ino } == before)
            #expect(await fixture.store.list().count == 1)
            #expect(await fixture.store.find(first.id)?.pinned == true)
            try await fixture.store.remove(first.id)
            #expect(try fixture.kept() == [])
        }
    }

    @Test func `many imports of images that share layers unpack each layer once`() async throws {
        try await StoreFixture.use { fixture in
            let paths = try (0..<8).map { number in
                try fixture.write("\(number).tar", image("\(number % 4)", "localhost/i\(number)").dockerSave())
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for path in paths { group.addTask { _ = try await fixture.store.load(tarball: path) } }
                try await group.waitForAll()
            }
            #expect(await fixture.store.list().count == 4)
            #expect(try fixture.kept().filter { $0.hasPrefix("layers/") }.count == 5)
            for number in 0..<8 { try await fixture.store.remove("localhost/i\(number)") }
            #expect(try fixture.kept() == [])
        }
    }

    @Test func `a restart finds the images, and clears what was left half done`() async throws {
        try await Scratch.use { scratch in
            let root = scratch.file("store")
            let tarball = scratch.file("image.tar")
            try Data(image("a", "localhost/a").dockerSave()).write(to: URL(filePath: tarball))
            let loaded: [ImageRecord]
            do {
                let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
                loaded = try await store.load(tarball: tarball, pinned: true)
            }
            // As a kill in the middle of an import, of a removal and of a snapshot's making leaves it.
            let orphan = String(repeating: "ab", count: 32)
            for directory in [
                "content/tmp/7/fs/etc", "content/unpacking/8/fs/etc", "layers/\(orphan)/fs", "snapshots/half/upper",
            ] {
                _ = try scratch.directory("store/" + directory)
            }
            try scratch.write("store/content/blobs/sha256/\(orphan)", "orphan")
            try scratch.write("store/content/images/\(orphan).json", "{damaged")
            try scratch.write("store/content/images/\(orphan).json.new", "{half")
            let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
            #expect(await store.list() == loaded)
            let fixture = StoreFixture(scratch: scratch, store: store)
            try await eventually("nothing of it is left") {
                try !fixture.kept().contains { kept in
                    [orphan, "half", "tmp", "unpacking"].contains { kept.contains($0) }
                }
            }
            try await store.remove("localhost/a")
            #expect(try fixture.kept() == [])
        }
    }

    @Test func `a name that was about to move when the process was killed has moved after it`() async throws {
        // Checked: without the look at the names both images have it.
        try await Scratch.use { scratch in
            let root = scratch.file("store")
            func load(_ content: String) async throws -> ImageRecord {
                let tarball = scratch.file("\(content).tar")
                try Data(image(content, "localhost/a").dockerSave()).write(to: URL(filePath: tarball))
                let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
                return try #require(try await store.load(tarball: tarball, pinned: true).first)
            }
            let old = try await load("old")
            let record = "store/content/images/\(old.id.dropFirst("sha256:".count)).json"
            let before = try text(scratch.file(record))
            let new = try await load("new")
            // As it was before the second image took the name, and with its time.
            try scratch.write(record, before)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)], ofItemAtPath: scratch.file(record))
            for _ in 0..<2 {
                let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
                #expect(await store.find("localhost/a")?.id == new.id)
                #expect(await store.list().map(\.repoTags) == [["localhost/a:latest"], []])
                #expect(await store.find(old.id)?.pinned == false)
            }
        }
    }

    @Test func `a layer that is damaged on the disk takes its image out of the store, and loading mends it`()
        async throws
    {
        try await Scratch.use { scratch in
            let root = scratch.file("store")
            let tarball = scratch.file("image.tar")
            try Data(image("a", "localhost/a").dockerSave()).write(to: URL(filePath: tarball))
            do {
                let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
                _ = try await store.load(tarball: tarball)
                try await eventually("its layers are on the disk") {
                    try FileManager.default.contentsOfDirectory(atPath: root + "/layers").allSatisfy {
                        try !text(root + "/layers/\($0)/layer.json").contains("boot")
                    }
                }
            }
            for layer in try FileManager.default.contentsOfDirectory(atPath: root + "/layers") {
                try scratch.write("store/layers/\(layer)/layer.json", "")
            }
            let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
            #expect(await store.list() == [])
            #expect(try await store.load(tarball: tarball).count == 1)
        }
    }

    @Test func `a layer that had not reached the disk when the machine went down is not trusted after it`()
        async throws
    {
        try await Scratch.use { scratch in
            let root = scratch.file("store")
            let tarball = scratch.file("image.tar")
            try Data(image("a", "localhost/a").dockerSave()).write(to: URL(filePath: tarball))
            do {
                let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
                _ = try await store.load(tarball: tarball)
                try await eventually("its layers are on the disk") {
                    try FileManager.default.contentsOfDirectory(atPath: root + "/layers").allSatisfy {
                        try !text(root + "/layers/\($0)/layer.json").contains("boot")
                    }
                }
            }
            for layer in try FileManager.default.contentsOfDirectory(atPath: root + "/layers") {
                let record = try text(root + "/layers/\(layer)/layer.json")
                let other = record.replacing("{", with: #"{"boot":"another","#, maxReplacements: 1)
                try scratch.write("store/layers/\(layer)/layer.json", other)
            }
            let store = try await ImageStore(root: root, logger: StoreFixture.quiet)
            #expect(await store.list() == [])
            #expect(try await store.load(tarball: tarball).count == 1)
        }
    }

    @Test func `a second process is told who has the store`() async throws {
        try await StoreFixture.use { fixture in
            do {
                _ = try await ImageStore(root: fixture.root, logger: StoreFixture.quiet)
                Issue.record("it was opened twice")
            } catch {
                #expect("\(error)".contains("another process uses it"))
            }
            #expect(await fixture.store.list() == [])
        }
    }
}
