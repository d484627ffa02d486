import Glibc
import Images
import TestKit
import Testing

/// Layers on top of each other, as a container sees them through overlayfs.
@Suite(.needs(.root, .overlayfs)) struct StackTests {
    /// Mounts an image of these layers and looks at the container's root.
    private func mount(
        _ layers: [(inout TarWriter) -> Void], _ look: (_ root: String, StoreFixture, Snapshot) async throws -> Void
    ) async throws {
        try await StoreFixture.use { fixture in
            let tarball = ImageTarball(layers.map(TarWriter.build)).dockerSave()
            let image = try #require(try await fixture.load(tarball).first)
            let target = fixture.scratch.file("rootfs")
            let snapshot = try await fixture.store.mountRootfs(image: image, container: "c1", at: target)
            fixture.scratch.atEnd { umount2(target, 2) }
            try await look(target, fixture, snapshot)
            try await fixture.store.unmountRootfs(container: "c1", at: target)
            try await fixture.store.removeSnapshot(container: "c1")
            try await fixture.store.remove(image.id)
            #expect(try fixture.kept() == [])
        }
    }

    private func names(_ path: String) throws -> [String] {
        let listed = try Command(["ls", "-A", path]).runBlocking()
        #expect(listed.errors == "")
        return listed.output.split(separator: "\n").map(String.init)
    }

    @Test func `whiteouts take away, and a name that is new in the same layer stays`() async throws {
        try await mount([
            { tar in
                tar.file("a", "1")
                tar.directory("dir")
                tar.file("dir/gone", "")
                tar.file("dir/kept", "")
                tar.directory("replaced")
                tar.file("replaced/old", "")
                tar.file("again", "old")
            },
            { tar in
                tar.file(".wh.a", "")
                tar.file("dir/.wh.gone", "")
                tar.file("dir/.wh.never-was", "")
                tar.file(".wh.replaced", "")
                tar.directory("replaced")
                tar.file("replaced/new", "")
                tar.file("again", "new")
                tar.file(".wh.again", "")
            },
        ]) { (root, _, _) async throws in
            #expect(try names(root) == ["again", "dir", "replaced"])
            #expect(try names(root + "/dir") == ["kept"])
            #expect(try names(root + "/replaced") == ["new"])
            #expect(try text(root + "/again") == "new")
        }
    }

    @Test(arguments: [true, false]) func `an opaque directory hides what is below it, wherever the mark stands`(
        _ first: Bool
    ) async throws {
        try await mount([
            { tar in
                tar.directory("dir")
                tar.file("dir/old", "")
                tar.directory("dir/sub")
            },
            { tar in
                if first { tar.file("dir/.wh..wh..opq", "") }
                tar.directory("dir")
                tar.file("dir/new", "")
                tar.file("dir/.wh.old", "")
                if !first { tar.file("dir/.wh..wh..opq", "") }
            },
        ]) { (root, _, _) async throws in
            #expect(try names(root + "/dir") == ["new"])
        }
    }

    @Test func `an opaque root hides everything below`() async throws {
        try await mount([
            { tar in
                tar.file("old", "")
                tar.directory("both")
                tar.file("both/old", "")
            },
            { tar in
                tar.file(".wh..wh..opq", "")
                tar.directory("both")
                tar.file("both/new", "")
            },
        ]) { (root, _, _) async throws in
            #expect(try names(root) == ["both"])
            #expect(try names(root + "/both") == ["new"])
        }
    }

    @Test func `a directory that a layer only passes through keeps its owner, mode and time`() async throws {
        try await mount([
            { tar in
                tar.directory(".", mode: 0o711)
                tar.directory("tmp", mode: 0o1777, uid: 7, mtime: 4242)
                tar.directory("home/app", mode: 0o700, uid: 1000, gid: 1000)
            },
            { tar in
                tar.file("tmp/file", "")
                tar.file("home/app/.wh.never-was", "")
                tar.file("home/app/config", "")
            },
        ]) { (root, _, _) async throws in
            let tmp = try status(root + "/tmp")
            #expect((tmp.st_mode & 0o7777, tmp.st_uid, tmp.st_mtim.tv_sec) == (0o1777, 7, 4242))
            let home = try status(root + "/home/app")
            #expect((home.st_mode & 0o7777, home.st_uid, home.st_gid) == (0o700, 1000, 1000))
            #expect(try status(root).st_mode & 0o7777 == 0o711)
        }
    }

    @Test func `a hundred and fifty layers can be mounted`() async throws {
        let layers: [(inout TarWriter) -> Void] = (0..<150).map { number in
            { tar in tar.file("file\(number)", "\(number)") }
        }
        try await mount(layers) { (root, _, _) async throws in
            #expect(try text(root + "/file0") == "0")
            #expect(try text(root + "/file149") == "149")
            #expect(try names(root).count == 150)
        }
    }

    @Test func `an image without any layer is an empty root`() async throws {
        try await mount([]) { (root, _, _) async throws in #expect(try names(root) == []) }
    }

    @Test func `what a container writes is its own, is measured, and is there at the next mount`() async throws {
        // Checked: with the kernel's mark only half taken away after an unmount, what was written is gone.
        try await mount([{ $0.file("file", "image") }]) { (root, fixture, snapshot) async throws in
            let image = try #require(await fixture.store.list().first)
            let before = try #require(try await fixture.store.usage(container: "c1"))
            try fixture.scratch.write("rootfs/file", "container")
            try fixture.write("rootfs/big", [UInt8](repeating: 1, count: 1 << 20))
            #expect(try text(snapshot.upper + "/file") == "container")
            let usage = try #require(try await fixture.store.usage(container: "c1"))
            #expect(usage.bytes - before.bytes >= 1 << 20)
            #expect(usage.inodes == before.inodes + 2)
            let other = fixture.scratch.file("other")
            _ = try await fixture.store.mountRootfs(image: image, container: "c2", at: other)
            fixture.scratch.atEnd { umount2(other, 2) }
            #expect(try text(other + "/file") == "image")
            #expect(try await fixture.store.snapshotContainers().sorted() == ["c1", "c2"])
            let whole = try await fixture.store.filesystemUsage()
            #expect(whole.images.bytes > 0)
            #expect(whole.snapshots.bytes >= usage.bytes)
            #expect(whole.capacityBytes > whole.availableBytes)
            // Asked for twice is as good as once; not there is success.
            _ = try await fixture.store.mountRootfs(image: image, container: "c2", at: other)
            try await fixture.store.unmountRootfs(container: "c2", at: other)
            try await fixture.store.unmountRootfs(container: "c2", at: other)
            try await fixture.store.removeSnapshot(container: "c2")
            try await fixture.store.removeSnapshot(container: "c2")
            #expect(try await fixture.store.usage(container: "c2") == nil)
            try await fixture.store.unmountRootfs(container: "c1", at: root)
            _ = try await fixture.store.mountRootfs(image: image, container: "c1", at: root)
            #expect(try text(root + "/file") == "container")
        }
    }

    @Test func `a root that was mounted when the machine went down begins anew`() async throws {
        // Checked: without the look at the kernel's mark it can't be mounted again.
        try await mount([{ $0.file("file", "image") }]) { (root, fixture, snapshot) async throws in
            let image = try #require(await fixture.store.list().first)
            try fixture.scratch.write("rootfs/file", "container")
            // What a crash leaves: nobody has taken the kernel's mark away.
            #expect(umount2(root, 0) == 0)
            _ = try await fixture.store.mountRootfs(image: image, container: "c1", at: root)
            #expect(try text(root + "/file") == "image")
        }
    }

    @Test func `a layer that somebody removed is missed, and loading brings it back`() async throws {
        try await StoreFixture.use { fixture in
            let tarball = ImageTarball { $0.file("file", "image") }.dockerSave()
            let image = try #require(try await fixture.load(tarball).first)
            try await Command(["sh", "-c", "rm -r \(fixture.root)/layers/*"]).run()
            let target = fixture.scratch.file("rootfs")
            await #expect(throws: ImageError.self) {
                try await fixture.store.mountRootfs(image: image, container: "c", at: target)
            }
            let again = try #require(try await fixture.load(tarball).first)
            _ = try await fixture.store.mountRootfs(image: again, container: "c", at: target)
            fixture.scratch.atEnd { umount2(target, 2) }
            #expect(try text(target + "/file") == "image")
        }
    }

    @Test func `a read-only root can't be written to`() async throws {
        try await StoreFixture.use { fixture in
            let image = try #require(try await fixture.load(ImageTarball { $0.file("file", "x") }.dockerSave()).first)
            let target = fixture.scratch.file("rootfs")
            _ = try await fixture.store.mountRootfs(image: image, container: "c", at: target, readOnly: true)
            fixture.scratch.atEnd { umount2(target, 2) }
            #expect(try text(target + "/file") == "x")
            #expect(open(target + "/new", O_CREAT | O_WRONLY, 0o600) == -1 && errno == EROFS)
        }
    }

    @Test func `a container's name can't lead anywhere else`() async throws {
        try await StoreFixture.use { fixture in
            let image = try #require(try await fixture.load(ImageTarball { $0.file("file", "x") }.dockerSave()).first)
            for name in ["", ".", "..", "../x", "a/b", "a\u{0}b"] {
                await #expect(throws: ImageError.self) {
                    try await fixture.store.mountRootfs(image: image, container: name, at: fixture.scratch.file("r"))
                }
                await #expect(throws: ImageError.self) { try await fixture.store.removeSnapshot(container: name) }
            }
        }
    }

    @Test func `a tree that is very deep is measured and removed with few descriptors`() async throws {
        try await mount([{ $0.file("file", "x") }]) { (root, fixture, _) async throws in
            var directory = open(root, O_RDONLY | O_DIRECTORY)
            for _ in 0..<3000 {
                #expect(mkdirat(directory, "d", 0o755) == 0)
                let deeper = openat(directory, "d", O_RDONLY | O_DIRECTORY)
                close(directory)
                directory = deeper
            }
            close(directory)
            let usage = try #require(try await fixture.store.usage(container: "c1"))
            #expect(usage.inodes > 60)
        }
    }
}
