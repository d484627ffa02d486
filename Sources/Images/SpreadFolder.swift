import Glibc

/// A folder whose folders have nothing to do with each other, and says so to the file system.
///
/// ext4 puts a new folder near its parent, and all that comes into it near it: every layer into the block groups of the ones
/// before, whose inodes it looks through one by one and passes over if they were freed in the last minute. A layer unpacked
/// after another was removed then takes up to five times as long. Below a folder with this flag each gets a group of its
/// own (chattr(1), "T"; ext4's Orlov allocator).
enum SpreadFolder {
    // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_TOPDIR_FL (linux/fs.h, asm-generic/ioctl.h).
    private static let get: UInt = 2 << 30 | UInt(MemoryLayout<CLong>.size) << 16 | UInt(UInt8(ascii: "f")) << 8 | 1
    private static let set: UInt = 1 << 30 | UInt(MemoryLayout<CLong>.size) << 16 | UInt(UInt8(ascii: "f")) << 8 | 2
    private static let topOfHierarchies: CInt = 0x0002_0000

    /// Marks it; file systems that know no such mark need none.
    static func mark(_ path: String) throws(ImportFailure) {
        let folder = try OpenFile.directory(path)
        // The calls' names say long; what they take is an int (ioctl_iflags(2)).
        var flags: CInt = 0
        guard ioctl(folder.fd, get, &flags) == 0, flags & topOfHierarchies == 0 else { return }
        flags |= topOfHierarchies
        _ = ioctl(folder.fd, set, &flags)
    }
}
