import CLinux
import Glibc

/// What statx(2) says of a file.
public struct FileStatus: Sendable {
    public let raw: sys_stat

    /// The file at `path` below `directory`; `followLinks` false looks at a last symlink itself.
    public init(
        at directory: Int32 = AT_FDCWD, _ path: String, followLinks: Bool = true, emptyPath: Bool = false
    ) throws(SystemError) {
        var out = sys_stat()
        let flags = (followLinks ? 0 : AT_SYMLINK_NOFOLLOW) | (emptyPath ? 0x1000 : 0)
        try check(sys_statx(directory, path, flags, &out), "stat", path.isEmpty ? nil : path)
        raw = out
    }

    public var isDirectory: Bool { raw.mode & S_IFMT == S_IFDIR }
    public var isRegular: Bool { raw.mode & S_IFMT == S_IFREG }
    public var isSymlink: Bool { raw.mode & S_IFMT == S_IFLNK }
    public var isSocket: Bool { raw.mode & S_IFMT == S_IFSOCK }
    public var isCharacterDevice: Bool { raw.mode & S_IFMT == S_IFCHR }
    public var isBlockDevice: Bool { raw.mode & S_IFMT == S_IFBLK }
    public var isFIFO: Bool { raw.mode & S_IFMT == S_IFIFO }
    /// Permission bits with set-id and sticky, without the type.
    public var permissions: UInt32 { raw.mode & 0o7777 }
    public var size: UInt64 { raw.size }
    public var uid: UInt32 { raw.uid }
    public var gid: UInt32 { raw.gid }
    public var inode: UInt64 { raw.inode }
    public var links: UInt32 { raw.links }
    /// Of the last change of the content, nanoseconds after 1970.
    public var modifiedNanoseconds: Int64 { raw.mtime_seconds * 1_000_000_000 + Int64(raw.mtime_nanoseconds) }

    /// Whether both are the same inode of the same filesystem.
    public func isSameFile(as other: FileStatus) -> Bool {
        raw.device == other.raw.device && raw.inode == other.raw.inode
    }
}
