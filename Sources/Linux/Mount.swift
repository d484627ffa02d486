import CLinux
import Glibc

/// mount(2) and umount2(2); ``MountTree`` has the newer, descriptor-based calls.
public enum Mount {
    /// MS_… flags of mount(2).
    public struct Flags: OptionSet, Sendable, Hashable {
        public let rawValue: UInt
        public init(rawValue: UInt) { self.rawValue = rawValue }
        public static let readOnly = Flags(rawValue: 1)
        public static let noSetID = Flags(rawValue: 2)
        public static let noDevices = Flags(rawValue: 4)
        public static let noExec = Flags(rawValue: 8)
        public static let synchronous = Flags(rawValue: 16)
        public static let remount = Flags(rawValue: 32)
        public static let mandatoryLocks = Flags(rawValue: 64)
        public static let directorySync = Flags(rawValue: 128)
        public static let noAccessTime = Flags(rawValue: 1024)
        public static let noDirectoryAccessTime = Flags(rawValue: 2048)
        public static let bind = Flags(rawValue: 4096)
        public static let move = Flags(rawValue: 8192)
        public static let recursive = Flags(rawValue: 16384)
        public static let silent = Flags(rawValue: 32768)
        public static let unbindable = Flags(rawValue: 1 << 17)
        public static let `private` = Flags(rawValue: 1 << 18)
        public static let slave = Flags(rawValue: 1 << 19)
        public static let shared = Flags(rawValue: 1 << 20)
        public static let relativeAccessTime = Flags(rawValue: 1 << 21)
        public static let iVersion = Flags(rawValue: 1 << 23)
        public static let strictAccessTime = Flags(rawValue: 1 << 24)
        public static let lazyTime = Flags(rawValue: 1 << 25)
    }

    /// mount(2). `type` and `source` may be nil where the flags need none.
    public static func mount(
        source: String?, target: String, type: String? = nil, flags: Flags = [], data: String? = nil
    ) throws(SystemError) {
        try check(sys_mount(source, target, type, flags.rawValue, data), "mount \(type ?? source ?? "") on", target)
    }

    /// `mount --bind` (or `--rbind`).
    public static func bind(_ source: String, on target: String, recursive: Bool = false) throws(SystemError) {
        try mount(source: source, target: target, flags: recursive ? [.bind, .recursive] : [.bind])
    }

    /// umount2(2); a path that is no mount point, or isn't there, is success.
    /// - Parameter detach: MNT_DETACH: away from the tree at once, gone when nobody uses it.
    public static func unmount(_ target: String, detach: Bool = false, followLinks: Bool = false) throws(SystemError) {
        let flags: Int32 = (detach ? 2 : 0) | (followLinks ? 0 : 8)
        let result = sys_umount2(target, flags)
        if result == -EINVAL || result == -ENOENT { return }
        try check(result, "umount", target)
    }
}
