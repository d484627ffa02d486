import CLinux
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

    private static let lockable: [(MountTree.Attributes, String)] = [
        (.readOnly, "ro"), (.noSetID, "nosuid"), (.noDevices, "nodev"), (.noExec, "noexec"),
    ]
    private static let accessTimes: MountTree.Attributes = [.accessTimeField, .noDirectoryAccessTime]

    /// - Parameters:
    ///   - source: what the source's mount has; looked at only where options name attributes.
    ///   - isLocked: whether the container has a user namespace.
    init(
        _ options: MountOptions, source: () throws(SystemError) -> MountTree.Attributes, isLocked: Bool
    ) throws(RuntimeError) {
        set = options.set
        clear = options.clear
        guard options.namesAttributes else { return }
        let source = try kernel(source)
        // Kernels before 5.14 don't know the word.
        if source.contains(.noSymlinkFollow) { clear.insert(.noSymlinkFollow) }
        for (attribute, word) in BindAttributes.lockable where !options.set.contains(attribute) {
            if !isLocked {
                clear.insert(attribute)
            } else if source.contains(attribute), options.clear.contains(attribute) {
                throw BindAttributes.refusal("\"\(word)\"")
            }
        }
        if isLocked, clear.contains(.accessTimeField),
            set.intersection(BindAttributes.accessTimes) != source.intersection(BindAttributes.accessTimes)
        {
            throw BindAttributes.refusal("what is said of access times")
        }
    }

    private static func refusal(_ what: String) -> RuntimeError {
        RuntimeError("operation not permitted: in a user namespace, \(what) of the source's mount can't be changed")
    }
}

extension MountTree.Attributes {
    /// Those of the mount that a path lies on; what is the filesystem's alone (a read-only one) is none of them.
    init(ofMountUnder path: String) throws(SystemError) {
        let id = try FileStatus(path).raw.mount_id
        self = []
        guard let mount = try MountInfo.all().first(where: { UInt64($0.id) == id }) else { return }
        self.init(options: mount.options)
    }

    /// What statfs(2) tells of a mount and of nothing else: whether links are followed there (ST_NOSYMFOLLOW).
    init(under descriptor: borrowing Descriptor) throws(SystemError) {
        self = try FilesystemStatistics(of: descriptor).flags & 0x2000 == 0 ? [] : .noSymlinkFollow
    }

    /// mountinfo's words (proc(5)): without one about access times they are all noted.
    init(options: String) {
        self = []
        let words = options.split(separator: ",")
        for (word, attribute) in [
            ("ro", MountTree.Attributes.readOnly), ("nosuid", .noSetID), ("nodev", .noDevices), ("noexec", .noExec),
            ("noatime", .noAccessTime), ("nodiratime", .noDirectoryAccessTime), ("nosymfollow", .noSymlinkFollow),
        ] where words.contains(Substring(word)) { insert(attribute) }
        if !words.contains("noatime"), !words.contains("relatime") { insert(.strictAccessTime) }
    }
}
