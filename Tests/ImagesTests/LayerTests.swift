import CLinux
import Glibc
import Images
import TestKit
import Testing

/// What a layer's entries look like once they are unpacked.
@Suite(.needs(.root)) struct LayerTests {
    /// Loads an image of one layer and looks at its tree.
    private func unpack(
        _ layer: (inout TarWriter) -> Void, _ look: (_ tree: String) throws -> Void
    ) async throws {
        try await StoreFixture.use { fixture in
            let images = try await fixture.load(ImageTarball(layer).dockerSave())
            try look(fixture.tree(try #require(images.first)))
        }
    }

    private func attribute(_ path: String, _ name: String) -> [UInt8]? {
        var value = [UInt8](repeating: 0, count: 1024)
        let count = sys_lgetxattr(path, name, &value, value.count)
        return count < 0 ? nil : Array(value[..<count])
    }

    @Test func `owners, modes and times are as archived`() async throws {
        try await unpack { tar in
            tar.directory(".", mode: 0o711, mtime: 5)
            tar.directory("home", mode: 0o2775, uid: 1, gid: 50, mtime: 7)
            tar.add("home/su", .file, [1, 2, 3], mode: 0o4755, uid: 1000, gid: 70000, mtime: 12345)
            tar.add("home/link", .symlink, uid: 3, gid: 4, mtime: 99, link: "su")
            tar.directory("tmp", mode: 0o1777)
        } _: { (tree) throws in
            let root = try status(tree)
            #expect(root.st_mode & 0o7777 == 0o711)
            #expect(root.st_mtim.tv_sec == 5)
            let home = try status(tree + "/home")
            #expect((home.st_mode & 0o7777, home.st_uid, home.st_gid) == (0o2775, 1, 50))
            #expect(home.st_mtim.tv_sec == 7)
            let file = try status(tree + "/home/su")
            #expect((file.st_mode, file.st_uid, file.st_gid) == (S_IFREG | 0o4755, 1000, 70000))
            #expect((file.st_size, file.st_mtim.tv_sec) == (3, 12345))
            let link = try status(tree + "/home/link")
            #expect((link.st_mode & S_IFMT, link.st_uid, link.st_gid, link.st_mtim.tv_sec) == (S_IFLNK, 3, 4, 99))
            #expect(try status(tree + "/tmp").st_mode & 0o7777 == 0o1777)
        }
    }

    @Test func `extended headers give long names, big numbers, fractions of a second and names that are no UTF-8`()
        async throws
    {
        let long = String(repeating: "d/", count: 120) + String(repeating: "n", count: 200)
        try await unpack { tar in
            tar.add(
                "short", .file, [1],
                pax: [("path", Array(long.utf8)), ("uid", Array("3000000000".utf8)), ("mtime", Array("1.25".utf8))])
            tar.add("early", .file, [], pax: [("mtime", Array("-1.25".utf8))])
            tar.add("x", .file, [2], pax: [("path", [0x62, 0xff, 0xfe])])
            // The same letters composed and decomposed are two names.
            tar.add("y", .file, [3], pax: [("path", Array("e\u{301}".utf8))])
            tar.add("z", .file, [4], pax: [("path", Array("\u{e9}".utf8))])
            tar.add(String(repeating: "g", count: 180), .symlink, link: String(repeating: "t", count: 300))
            tar.add("ignored", .globalPax, TarWriter.records([("comment", Array("hello".utf8))]))
            tar.file("last", "last")
        } _: { (tree) throws in
            let file = try status(tree + "/" + long)
            #expect(file.st_uid == 3_000_000_000)
            #expect((file.st_mtim.tv_sec, file.st_mtim.tv_nsec) == (1, 250_000_000))
            let early = try status(tree + "/early")
            #expect((early.st_mtim.tv_sec, early.st_mtim.tv_nsec) == (-2, 750_000_000))
            let raw: [CChar] = Array((tree + "/b").utf8CString.dropLast()) + [-1, -2, 0]
            #expect(access(raw, F_OK) == 0)
            #expect(try status(tree + "/e\u{301}").st_size == 1)
            #expect(try status(tree + "/\u{e9}").st_ino != status(tree + "/e\u{301}").st_ino)
            #expect(try status(tree + "/" + String(repeating: "g", count: 180)).st_size == 300)
            #expect(try text(tree + "/last") == "last")
        }
    }

    @Test func `hard links are one file`() async throws {
        try await unpack { tar in
            tar.directory("a")
            tar.file("a/one", "x", mode: 0o755)
            tar.add("two", .hardLink, link: "a/one")
            tar.add("three", .hardLink, link: "./two")
            tar.add("slash", .hardLink, link: "/two")
            tar.add("sym", .symlink, link: "a/one")
            tar.add("symtoo", .hardLink, link: "sym")
        } _: { (tree) throws in
            let one = try status(tree + "/a/one")
            #expect(one.st_nlink == 4)
            #expect(try status(tree + "/three").st_ino == one.st_ino)
            #expect(try status(tree + "/symtoo").st_mode & S_IFMT == S_IFLNK)
        }
    }

    @Test func `extended attributes and capabilities are kept, those of the building host are not`() async throws {
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try await unpack { tar in
            tar.add(
                "ping", .file, [1], mode: 0o755, uid: 5,
                pax: [
                    ("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.note", [0, 10, 61]),
                    ("SCHILY.xattr.security.selinux", Array("label".utf8)),
                    ("SCHILY.xattr.trusted.overlay.redirect", Array("/etc".utf8)),
                ])
            tar.add("dir/", .directory, mode: 0o755, pax: [("SCHILY.xattr.trusted.overlay.opaque", [121])])
        } _: { (tree) throws in
            #expect(attribute(tree + "/ping", "security.capability") == capability)
            #expect(attribute(tree + "/ping", "user.note") == [0, 10, 61])
            #expect(attribute(tree + "/ping", "security.selinux") == nil)
            #expect(attribute(tree + "/ping", "trusted.overlay.redirect") == nil)
            #expect(attribute(tree + "/dir", "trusted.overlay.opaque") == nil)
        }
    }

    @Test func `devices below dev and fifos are what they are`() async throws {
        try await unpack { tar in
            tar.add("dev/null", .characterDevice, mode: 0o666, device: (1, 3))
            tar.add("jail/dev/loop0", .blockDevice, mode: 0o660, gid: 6, device: (7, 0))
            tar.add("run/pipe", .fifo, mode: 0o622)
        } _: { (tree) throws in
            let null = try status(tree + "/dev/null")
            #expect(
                (null.st_mode, sys_major(UInt64(null.st_rdev)), sys_minor(UInt64(null.st_rdev))) == (
                    S_IFCHR | 0o666, 1, 3
                ))
            let loop = try status(tree + "/jail/dev/loop0")
            #expect((loop.st_mode, loop.st_gid, sys_major(UInt64(loop.st_rdev))) == (S_IFBLK | 0o660, 6, 7))
            #expect(try status(tree + "/run/pipe").st_mode == S_IFIFO | 0o622)
        }
    }

    @Test func `a later entry replaces an earlier one of whatever kind`() async throws {
        try await unpack { tar in
            tar.file("a", "old")
            tar.file("a", "new")
            tar.directory("b")
            tar.file("b/inside", "x")
            tar.file("b", "file now")
            tar.file("c", "file")
            tar.directory("c")
            tar.file("c/inside", "y")
            tar.add("d", .symlink, link: "c")
            tar.directory("d")
            tar.file("d/own", "z")
            tar.add("e", .symlink, link: "/etc/passwd")
            tar.file("e", "not the host's")
            tar.directory("f")
            tar.directory("f", mode: 0o700)
        } _: { (tree) throws in
            #expect(try text(tree + "/a") == "new")
            #expect(try text(tree + "/b") == "file now")
            #expect(try text(tree + "/c/inside") == "y")
            #expect(try status(tree + "/d").st_mode & S_IFMT == S_IFDIR)
            #expect(!exists(tree + "/c/own"))
            #expect(try text(tree + "/e") == "not the host's")
            #expect(try status(tree + "/f").st_mode & 0o7777 == 0o700)
        }
    }

    @Test func `a symlink to a directory of the same layer leads there`() async throws {
        try await unpack { tar in
            tar.directory("usr/lib")
            tar.add("lib", .symlink, link: "usr/lib")
            tar.add("usr/deep", .symlink, link: "../usr/lib")
            tar.file("lib/one", "1")
            tar.file("usr/deep/two", "2")
            tar.add("etc/mtab", .symlink, link: "/proc/self/mounts")
        } _: { (tree) throws in
            #expect(try text(tree + "/usr/lib/one") == "1")
            #expect(try text(tree + "/usr/lib/two") == "2")
            #expect(try status(tree + "/lib").st_mode & S_IFMT == S_IFLNK)
            #expect(try status(tree + "/etc/mtab").st_mode & S_IFMT == S_IFLNK)
        }
    }

    @Test(arguments: ["old GNU", "0.0", "0.1", "1.0"]) func `sparse files have their holes`(_ format: String)
        async throws
    {
        let data = [UInt8](repeating: 65, count: 100) + [UInt8](repeating: 66, count: 50)
        try await unpack { tar in
            switch format {
            case "old GNU":
                var header = [UInt8](repeating: 0, count: 512)
                func put(_ offset: Int, _ text: String) {
                    header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
                }
                put(0, "sparse")
                put(100, "0000644")
                put(108, "0000000")
                put(116, "0000000")
                put(124, "00000000226")
                put(136, "00000000001")
                put(156, "S")
                put(257, "ustar  ")
                put(386, "00000000000")
                put(398, "00000000144")
                put(410, "00001000000")
                put(422, "00000000062")
                put(483, "00002000000")
                TarWriter.finish(&header)
                tar.append(header)
                tar.append(data)
            case "0.0":
                let records = [
                    ("GNU.sparse.size", "524288"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.offset", "0"),
                    ("GNU.sparse.numbytes", "100"), ("GNU.sparse.offset", "262144"), ("GNU.sparse.numbytes", "50"),
                ]
                tar.add("sparse", .file, data, pax: records.map { ($0, Array($1.utf8)) })
            case "0.1":
                let records = [
                    ("GNU.sparse.size", "524288"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.name", "sparse"),
                    ("GNU.sparse.map", "0,100,262144,50"),
                ]
                tar.add("GNUSparseFile.1/sparse", .file, data, pax: records.map { ($0, Array($1.utf8)) })
            default:
                let records = [
                    ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "sparse"),
                    ("GNU.sparse.realsize", "524288"),
                ]
                var map = Array("2\n0\n100\n262144\n50\n".utf8)
                map += [UInt8](repeating: 0, count: 512 - map.count)
                tar.add("GNUSparseFile.1/sparse", .file, map + data, pax: records.map { ($0, Array($1.utf8)) })
            }
            tar.file("after", "after")
        } _: { (tree) throws in
            let file = try status(tree + "/sparse")
            #expect(file.st_size == 524288)
            #expect(file.st_blocks * 512 < 100_000)
            let bytes = Array(try text(tree + "/sparse").utf8)
            #expect(bytes[..<100].allSatisfy { $0 == 65 })
            #expect(bytes[100..<262144].allSatisfy { $0 == 0 })
            #expect(bytes[262144..<262194].allSatisfy { $0 == 66 })
            #expect(bytes[262194...].allSatisfy { $0 == 0 })
            #expect(try text(tree + "/after") == "after")
        }
    }

    @Test func `a layer that is one big file comes out whole`() async throws {
        let big = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) }
        try await unpack { tar in
            tar.add("big", .file, big)
            tar.file("after", "after")
        } _: { (tree) throws in
            #expect(try status(tree + "/big").st_size == 3_000_000)
            #expect(try text(tree + "/after") == "after")
        }
    }

    @Test func `aufs's bookkeeping in old images is left out`() async throws {
        try await unpack { tar in
            tar.file(".wh..wh.aufs", "")
            tar.directory(".wh..wh.plnk")
            tar.file(".wh..wh.plnk/1.2", "")
            tar.file("kept", "")
        } _: { (tree) throws in
            #expect(exists(tree + "/kept"))
            #expect(!exists(tree + "/.wh..wh.plnk"))
        }
    }
}
