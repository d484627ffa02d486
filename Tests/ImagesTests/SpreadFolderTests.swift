import Glibc
import TestKit
import Testing

@testable import Images

struct SpreadFolderTests {
    // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_TOPDIR_FL (linux/fs.h), which chattr(1) calls T.
    private static let (get, set): (UInt, UInt) = (0x8008_6601, 0x4008_6602)
    private static let top: CInt = 0x0002_0000

    /// The flags of a folder; nil where the file system has none.
    private static func flags(_ path: String) -> CInt? {
        let folder = open(path, O_RDONLY | O_DIRECTORY)
        defer { close(folder) }
        var flags: CInt = 0
        return ioctl(folder, get, &flags) == 0 ? flags : nil
    }

    /// Whether the file system of scratch folders keeps the flag.
    private static func isKept() async -> Bool {
        let kept = try? await Scratch.use { scratch in
            let path = try scratch.directory("sibling")
            guard var flags = flags(path) else { return false }
            flags |= top
            let folder = open(path, O_RDONLY | O_DIRECTORY)
            defer { close(folder) }
            return ioctl(folder, set, &flags) == 0 && Self.flags(path).map { $0 & top != 0 } == true
        }
        return kept ?? false
    }

    @Test(.enabled("needs a file system that keeps FS_TOPDIR_FL (ext4) below the temporary folder") { await isKept() })
    func `layers are unpacked where each gets a block group of its own`() async throws {
        // Checked: without the mark the folder has no such flag.
        try await StoreFixture.use { fixture in
            let flags = try #require(Self.flags(fixture.root + "/content/unpacking"))
            #expect(flags & Self.top != 0)
            // Only there: what lies beside it belongs together.
            #expect(Self.flags(fixture.root + "/content/tmp").map { $0 & Self.top } == 0)
        }
    }
}
