import Linux

/// What the options of a bind mount do to the attributes that come along with its source.
///
/// Without any option these stay. One that is named makes the whole set that of the configuration: what isn't asked for is
/// taken away, as runc does. The access times alone change only when they are named (mount(8)).
///
/// A container with a user namespace can't take anything from what the host has locked (mount_namespaces(7)), and neither does
/// this runtime for it: what is only left out stays, what is asked for is refused.
struct BindAttributes: Hashable, Sendable {
    var set: MountTree.Attributes
    var clear: MountTree.Attributes

    /// Each by the bit that statfs(2) has for it; the kernel locks these.
    private static let lockable: [(attribute: MountTree.Attributes, flag: UInt64)] = [
        (.readOnly, 0x1), (.noSetID, 0x2), (.noDevices, 0x4), (.noExec, 0x8),
    ]

    /// - Parameters:
    ///   - flags: the source's, as statfs(2) tells them.
    ///   - isLocked: whether the container has a user namespace.
    init(_ options: MountOptions, sourceFlags flags: UInt64, isLocked: Bool) throws(SystemError) {
        set = options.set
        clear = options.clear
        guard options.namesAttributes else { return }
        clear.insert(.noSymlinkFollow)
        for (attribute, flag) in BindAttributes.lockable where !options.set.contains(attribute) {
            if !isLocked {
                clear.insert(attribute)
            } else if flags & flag != 0, options.clear.contains(attribute) {
                throw SystemError("take a locked attribute from the source", errno: .perm)
            }
        }
        if isLocked, clear.contains(.accessTimeField),
            set.intersection(BindAttributes.accessTimes) != BindAttributes.accessTimes(of: flags)
        {
            throw SystemError("change the locked access times of the source", errno: .perm)
        }
    }

    private static let accessTimes: MountTree.Attributes = [.accessTimeField, .noDirectoryAccessTime]

    private static func accessTimes(of flags: UInt64) -> MountTree.Attributes {
        var found: MountTree.Attributes = []
        if flags & 0x400 != 0 {
            found.insert(.noAccessTime)
        } else if flags & 0x1000 == 0 {
            found.insert(.strictAccessTime)
        }
        if flags & 0x800 != 0 { found.insert(.noDirectoryAccessTime) }
        return found
    }
}
