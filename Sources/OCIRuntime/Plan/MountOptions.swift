import Linux

/// The `options` of one mount, sorted by what the kernel does with them (mount(8), and runc's and crun's recursive kinds).
struct MountOptions: Hashable, Sendable {
    /// Of this mount alone.
    var set: MountTree.Attributes = []
    var clear: MountTree.Attributes = []
    /// Of this mount and all below it: `rro`, `rnosuid`…
    var recursiveSet: MountTree.Attributes = []
    var recursiveClear: MountTree.Attributes = []
    var propagation: MountTree.Propagation?
    var propagationIsRecursive = false
    var bind = false
    var recursiveBind = false
    var copyUp = false
    /// Whether any attribute was named, be it only to have it cleared.
    var namesAttributes = false
    /// Changes a mount that is there instead of making one.
    var remount = false
    /// Ids are mapped, on this mount (false) or on all below it too (true); nil leaves them.
    var idMapIsRecursive: Bool?
    /// For the filesystem itself: "sync", "size=64m"…
    var data: [String] = []

    var isReadOnly: Bool { self.set.contains(.readOnly) }

    init(_ options: [String]) throws(RuntimeError) {
        for option in options { try take(option) }
    }

    private mutating func take(_ option: String) throws(RuntimeError) {
        if takeAccessTime(option) {
            namesAttributes = true
            return
        }
        if let (attribute, on) = MountOptions.attribute(option) {
            namesAttributes = true
            change(attribute, on, recursive: false)
            return
        }
        switch option {
        case "defaults": break
        case "bind": bind = true
        case "rbind": (bind, recursiveBind) = (true, true)
        case "tmpcopyup": copyUp = true
        case "private", "slave", "shared", "unbindable", "rprivate", "rslave", "rshared", "runbindable":
            propagationIsRecursive = option.utf8.first == UInt8(ascii: "r")
            propagation = MountOptions.propagation(propagationIsRecursive ? String(option.dropFirst()) : option)
        case "remount": remount = true
        case "idmap": idMapIsRecursive = false
        case "ridmap": idMapIsRecursive = true
        case "async", "nomand", "nolazytime", "noiversion", "loud": break
        default:
            if option.utf8.first == UInt8(ascii: "r"),
                let (attribute, on) = MountOptions.attribute(String(option.dropFirst()))
            {
                change(attribute, on, recursive: true)
            } else if !option.isEmpty {
                data.append(option)
            }
        }
    }

    /// The access times are one value to the kernel: naming one replaces all that was there, while a word that only takes one
    /// away has nothing to put in its place and does no more than to undo an earlier word.
    private mutating func takeAccessTime(_ option: String) -> Bool {
        switch option {
        case "noatime", "strictatime", "relatime":
            set.subtract(.accessTimeField)
            if option == "noatime" { set.insert(.noAccessTime) }
            if option == "strictatime" { set.insert(.strictAccessTime) }
        case "nodiratime": set.insert(.noDirectoryAccessTime)
        case "atime": set.remove(.noAccessTime)
        case "diratime": set.remove(.noDirectoryAccessTime)
        case "nostrictatime": set.remove(.strictAccessTime)
        case "norelatime": break
        default: return false
        }
        if ["noatime", "strictatime", "relatime", "nodiratime"].contains(option) {
            clear.formUnion([.accessTimeField, .noDirectoryAccessTime])
        }
        return true
    }

    private mutating func change(_ attribute: MountTree.Attributes, _ on: Bool, recursive: Bool) {
        // The access time attributes are values of one field: setting one clears the field first.
        let isTime = !attribute.isDisjoint(with: .accessTimeField)
        let field = isTime ? MountTree.Attributes.accessTimeField : attribute
        let value = on ? attribute : []
        if recursive {
            recursiveSet = recursiveSet.subtracting(field).union(value)
            recursiveClear = isTime || !on ? recursiveClear.union(field) : recursiveClear.subtracting(field)
        } else {
            set = set.subtracting(field).union(value)
            clear = isTime || !on ? clear.union(field) : clear.subtracting(field)
        }
    }

    static func propagation(_ name: String) -> MountTree.Propagation? {
        switch name {
        case "private": .private
        case "slave": .slave
        case "shared": .shared
        case "unbindable": .unbindable
        default: nil
        }
    }

    private static func attribute(_ option: String) -> (MountTree.Attributes, Bool)? {
        switch option {
        case "ro": (.readOnly, true)
        case "rw": (.readOnly, false)
        case "nosuid": (.noSetID, true)
        case "suid": (.noSetID, false)
        case "nodev": (.noDevices, true)
        case "dev": (.noDevices, false)
        case "noexec": (.noExec, true)
        case "exec": (.noExec, false)
        case "noatime": (.noAccessTime, true)
        case "atime", "relatime", "norelatime": (.noAccessTime, false)
        case "strictatime": (.strictAccessTime, true)
        case "nostrictatime": (.strictAccessTime, false)
        case "nodiratime": (.noDirectoryAccessTime, true)
        case "diratime": (.noDirectoryAccessTime, false)
        case "nosymfollow": (.noSymlinkFollow, true)
        case "symfollow": (.noSymlinkFollow, false)
        default: nil
        }
    }
}
