import CLinux
import Glibc

/// A mount, or a tree of mounts, held by descriptor (open_tree(2), fsmount(2)): it can be changed before anyone sees it and
/// put in place without naming a path twice. Needs Linux 5.12.
public struct MountTree: ~Copyable, Sendable {
    public let descriptor: Descriptor

    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// MOUNT_ATTR_… of mount_setattr(2).
    public struct Attributes: OptionSet, Sendable, Hashable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let readOnly = Attributes(rawValue: 0x01)
        public static let noSetID = Attributes(rawValue: 0x02)
        public static let noDevices = Attributes(rawValue: 0x04)
        public static let noExec = Attributes(rawValue: 0x08)
        /// The three-valued field that the next three are values of; relatime is 0.
        public static let accessTimeField = Attributes(rawValue: 0x70)
        public static let noAccessTime = Attributes(rawValue: 0x10)
        public static let strictAccessTime = Attributes(rawValue: 0x20)
        public static let noDirectoryAccessTime = Attributes(rawValue: 0x80)
        public static let idMapped = Attributes(rawValue: 0x0010_0000)
        public static let noSymlinkFollow = Attributes(rawValue: 0x0020_0000)
    }

    /// How mounts and unmounts travel between peers (mount_namespaces(7)).
    public enum Propagation: UInt64, Sendable, Hashable {
        case unbindable = 0x20000
        case `private` = 0x40000
        case slave = 0x80000
        case shared = 0x100000
    }

    /// A detached copy of what is seen at `path` (a bind mount that is nowhere yet).
    /// - Parameter path: empty means `directory` itself.
    public static func clone(
        _ path: String, at directory: Int32 = AT_FDCWD, recursive: Bool, followLinks: Bool = true
    ) throws(SystemError) -> MountTree {
        var flags: UInt32 = 1  // OPEN_TREE_CLONE
        if recursive { flags |= 0x8000 }
        if path.isEmpty { flags |= 0x1000 }
        if !followLinks { flags |= 0x100 }
        return MountTree(Descriptor(owning: try check(sys_open_tree(directory, path, flags), "open_tree", path)))
    }

    /// mount_setattr(2) on this mount, or on it and all below it.
    public func change(
        set: Attributes = [], clear: Attributes = [], propagation: Propagation? = nil, recursive: Bool = false,
        userNamespace: Int32 = 0
    ) throws(SystemError) {
        try MountTree.change(
            "", at: descriptor.raw, set: set, clear: clear, propagation: propagation, recursive: recursive,
            userNamespace: userNamespace)
    }

    /// mount_setattr(2) on the mount that is seen at `path`; empty means `directory` itself.
    public static func change(
        _ path: String, at directory: Int32 = AT_FDCWD, set: Attributes = [], clear: Attributes = [],
        propagation: Propagation? = nil, recursive: Bool = false, userNamespace: Int32 = 0
    ) throws(SystemError) {
        let flags: UInt32 = (recursive ? 0x8000 : 0) | (path.isEmpty ? 0x1000 : 0)
        let result = sys_mount_setattr(
            directory, path, flags, set.rawValue, clear.rawValue, propagation?.rawValue ?? 0, UInt64(userNamespace))
        try check(result, "mount_setattr", path.isEmpty ? nil : path)
    }

    /// Puts the tree over what `target` (an `O_PATH` descriptor) names. The descriptor keeps naming the mount.
    public func attach(over target: Int32) throws(SystemError) {
        // MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
        try check(sys_move_mount(descriptor.raw, "", target, "", 0x4 | 0x40), "move_mount")
    }

    /// Puts the tree over a path below `directory`.
    public func attach(to path: String, at directory: Int32 = AT_FDCWD) throws(SystemError) {
        try check(sys_move_mount(descriptor.raw, "", directory, path, 0x4), "move_mount", path)
    }
}
