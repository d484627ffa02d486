import CLinux
import Glibc

/// One overlayfs mount: layers below, one directory to write in.
struct OverlayMount {
    /// The topmost first.
    var lower: [String]
    var upper: String
    var work: String
    var target: String
    var readOnly: Bool

    /// Nothing of what a container writes into its root outlasts the machine: its container doesn't either. So it needn't be
    /// on the disk when the root is unmounted, which without this would wait for the journal with everybody's writes in it
    /// (overlayfs.rst, "Volatile mount"; Linux 5.10). A working directory that was used so is marked by the kernel and not
    /// taken again: ``SnapshotStore`` begins such a snapshot anew.
    private static let volatile = "volatile"

    /// Where the kernel leaves its mark, below a working directory.
    static let volatileMark = "work/incompat/volatile"

    /// Takes the mark away, which only whoever knows that all that was written is there may do.
    static func forgetVolatile(work: String) {
        let mark = work + "/" + volatileMark
        unlink(mark + "/dirty")
        rmdir(mark)
    }

    /// Mounts it. Through the new mount API each layer is a call of its own, so that neither their number nor the length of
    /// their paths meets a limit; kernels before 6.8 can't do that and get one string.
    func mount() throws(ImportFailure) {
        let context = sys_fsopen("overlay")
        if context == -ENOSYS { return try mountWithString() }
        if context == -ENODEV {
            throw .failed(step: "mount", path: target, reason: "this kernel has no overlayfs (modprobe overlay)")
        }
        let filesystem = OpenFile(owning: try check(context, "open overlayfs for", target))
        var held: [OpenFile] = []
        for layer in lower {
            let path = try Self.short(layer, &held)
            let result = set(filesystem, "lowerdir+", path)
            if result == -EINVAL && layer == lower.first { return try mountWithString() }
            guard result >= 0 else { throw failure("add the layer \(layer) to", filesystem, result) }
        }
        for (key, path) in [("upperdir", upper), ("workdir", work)] {
            let result = set(filesystem, key, try Self.short(path, &held))
            guard result >= 0 else { throw failure("set \(key)=\(path) of", filesystem, result) }
        }
        for (key, value) in Self.options {
            let result = set(filesystem, key, value)
            guard result >= 0 else { throw failure("set \(key)=\(value) of", filesystem, result) }
        }
        // FSCONFIG_SET_FLAG; older kernels don't know it, and sync.
        if !readOnly { _ = sys_fsconfig(filesystem.fd, 0, Self.volatile, nil, 0) }
        // FSCONFIG_CMD_CREATE, MOUNT_ATTR_RDONLY, MOVE_MOUNT_F_EMPTY_PATH (linux/mount.h).
        let created = sys_fsconfig(filesystem.fd, 6, nil, nil, 0)
        guard created >= 0 else { throw failure("create", filesystem, created) }
        let mounted = sys_fsmount(filesystem.fd, readOnly ? 1 : 0)
        guard mounted >= 0 else { throw failure("mount", filesystem, mounted) }
        let mount = OpenFile(owning: mounted)
        try check(sys_move_mount(mount.fd, "", AT_FDCWD, target, 4), "mount the root filesystem on", target)
    }

    /// `index` and the like are chosen by how the kernel was built; a container's root wants none of them. Only what this
    /// kernel knows may be said.
    private static let options: [(String, String)] = {
        access("/sys/module/overlay/parameters/index", F_OK) == 0 ? [("index", "off")] : []
    }()

    /// FSCONFIG_SET_STRING.
    private func set(_ filesystem: OpenFile, _ key: String, _ value: String) -> Int32 {
        sys_fsconfig(filesystem.fd, 1, key, value, 0)
    }

    /// fsconfig takes at most 255 bytes, and overlayfs reads `:`, `,` and `\` as its own: such a path is given by a
    /// descriptor that stays open until the mount is made.
    private static func short(_ path: String, _ held: inout [OpenFile]) throws(ImportFailure) -> String {
        let plain = path.utf8.allSatisfy { $0 > 0x20 && $0 != 0x3a && $0 != 0x2c && $0 != 0x5c && $0 != 0x22 }
        return plain && path.utf8.count < 250 ? path : try throughDescriptor(path, &held)
    }

    private static func throughDescriptor(_ path: String, _ held: inout [OpenFile]) throws(ImportFailure) -> String {
        let file = try OpenFile.open(path, pathOnly | O_DIRECTORY)
        held.append(file)
        return "/proc/self/fd/\(file.fd)"
    }

    /// mount(2) takes one page of options: paths through descriptors keep each layer to a score of bytes.
    func mountWithString() throws(ImportFailure) {
        var held: [OpenFile] = []
        var layers: [String] = []
        for layer in lower { layers.append(try Self.throughDescriptor(layer, &held)) }
        let upper = try Self.throughDescriptor(upper, &held)
        let work = try Self.throughDescriptor(work, &held)
        var data = "lowerdir=\(layers.joined(separator: ":")),upperdir=\(upper),workdir=\(work)"
        for (key, value) in Self.options { data += ",\(key)=\(value)" }
        guard data.utf8.count < 4096 else {
            throw .failed(
                step: "mount", path: target,
                reason: "\(lower.count) layers are more than this kernel takes at once (6.8 and newer take 500)")
        }
        let flags: UInt = readOnly ? UInt(MS_RDONLY) : 0
        if !readOnly, sys_mount("overlay", target, "overlay", flags, data + "," + Self.volatile) == 0 { return }
        try check(sys_mount("overlay", target, "overlay", flags, data), "mount the root filesystem on", target)
    }

    /// The kernel says more than errno when it is asked: its messages wait in the context (fsopen(2)).
    private func failure(_ step: String, _ filesystem: OpenFile, _ result: Int32) -> ImportFailure {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 1024)
        while messages.count < 8 {
            let count = read(filesystem.fd, &buffer, buffer.count)
            guard count > 2 else { break }
            messages.append(printable(buffer[2..<count].filter { $0 != 0x0a }))
        }
        let reason =
            messages.isEmpty ? errnoText(-result) : "\(errnoText(-result)) (\(messages.joined(separator: "; ")))"
        return .failed(step: "\(step) the overlayfs for", path: target, reason: reason)
    }
}
