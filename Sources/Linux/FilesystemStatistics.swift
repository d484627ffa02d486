import CLinux
import Glibc

/// statfs(2) of the filesystem under a path.
public struct FilesystemStatistics: Sendable, Hashable {
    /// The magic number: 0x9fa0 proc, 0x62656572 sysfs, 0x01021994 tmpfs, 0x63677270 cgroup2, 0x27e0eb cgroup, 0x794c7630 overlay.
    public let type: Int64
    public let totalBytes: UInt64
    public let freeBytes: UInt64
    /// Free for those who aren't root.
    public let availableBytes: UInt64
    public let totalInodes: UInt64
    public let freeInodes: UInt64
    /// ST_RDONLY 1, ST_NOSUID 2…
    public let flags: UInt64

    public static let procMagic: Int64 = 0x9fa0
    public static let sysfsMagic: Int64 = 0x6265_6572
    public static let tmpfsMagic: Int64 = 0x0102_1994
    public static let cgroup2Magic: Int64 = 0x6367_7270
    public static let cgroupMagic: Int64 = 0x27e0eb
    public static let overlayMagic: Int64 = 0x794c_7630
    public static let nsfsMagic: Int64 = 0x6e73_6673

    public init(_ path: String) throws(SystemError) {
        var raw = sys_statfs_info()
        try check(sys_statfs(path, &raw), "statfs", path)
        self.init(raw)
    }

    public init(of descriptor: borrowing Descriptor) throws(SystemError) {
        var raw = sys_statfs_info()
        try check(sys_fstatfs(descriptor.raw, &raw), "fstatfs")
        self.init(raw)
    }

    private init(_ raw: sys_statfs_info) {
        type = raw.type
        totalBytes = raw.blocks &* raw.block_size
        freeBytes = raw.blocks_free &* raw.block_size
        availableBytes = raw.blocks_available &* raw.block_size
        totalInodes = raw.files
        freeInodes = raw.files_free
        flags = raw.flags
    }
}
