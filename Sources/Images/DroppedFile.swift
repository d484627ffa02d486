import CLinux
import Glibc

/// What a file in the images directory is at this moment.
enum DroppedFile: Sendable {
    /// Says whether a file is still the one that was imported. A program that rewrites it changes one of these.
    struct Identity: Codable, Hashable, Sendable {
        var inode: UInt64
        var size: UInt64
        var modifiedSeconds: Int64
        var modifiedNanoseconds: Int64
    }

    case complete(Identity)
    /// Somebody has it open for writing; closing it will be told.
    case beingWritten
    case gone
    case notAFile

    /// Names that programs give to files which aren't finished, or that aren't meant to be seen.
    static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".")
            || [".part", ".partial", ".tmp", ".temp", ".crdownload", ".swp", "~"].contains { name.hasSuffix($0) }
    }

    static func look(_ path: String) throws(ImportFailure) -> DroppedFile {
        let fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0)
        if fd == -ENOENT { return .gone }
        if fd == -ENXIO { return .notAFile }
        let file = OpenFile(owning: try check(fd, "open", path))
        var status = stat()
        try checkErrno(fstat(file.fd, &status), "stat", path)
        if status.st_mode & S_IFMT == S_IFDIR { return .gone }
        guard status.st_mode & S_IFMT == S_IFREG else { return .notAFile }
        // A read lease is granted only when nobody has the file open for writing (F_SETLEASE, fcntl(2)); filesystems without
        // leases leave it at the events.
        let (setLease, readLock, unlock): (Int32, Int32, Int32) = (1024, 0, 2)
        if fcntl(file.fd, setLease, readLock) == 0 {
            _ = fcntl(file.fd, setLease, unlock)
        } else if errno == EAGAIN {
            return .beingWritten
        }
        return .complete(
            Identity(
                inode: UInt64(status.st_ino), size: UInt64(status.st_size),
                modifiedSeconds: Int64(status.st_mtim.tv_sec),
                modifiedNanoseconds: Int64(status.st_mtim.tv_nsec)))
    }
}

/// Which files were imported, so that a restart doesn't read them all again.
struct DropRecords: Codable, Sendable {
    struct Entry: Codable, Sendable {
        var identity: DroppedFile.Identity
        /// The ids of the images that came out of it.
        var images: [String]
    }

    var version = 1
    /// By path.
    var files: [String: Entry] = [:]
}
