import CLinux
import Glibc
import Linux

/// Puts one mount of the plan in place.
enum MountStage {
    /// - Parameter number: its place in the plan.
    static func mount(_ number: Int, _ context: InitContext, root: Int32) throws(RuntimeError) {
        let plan = context.plan.mounts[number]
        if case .bind(let path) = plan.kind, context.sources[number].tree < 0 {
            let tree = try bindTree(path, number, context)
            return try kernel { () throws(SystemError) in try attachBind(plan, source: tree.descriptor.raw, root: root)
            }
        }
        try kernel { () throws(SystemError) in
            switch plan.kind {
            case .bind:
                try attachBind(plan, source: context.sources[number].tree, root: root)
            case .filesystem(let type, let source):
                try attachFilesystem(plan, type: type, source: source, label: context.plan.mountLabel, root: root)
            case .cgroup:
                try CgroupMountStage.mount(plan, context, root: root)
            case .remount:
                try remount(plan, root: root)
            }
        }
    }

    /// A source that the parent has left to this side.
    private static func bindTree(
        _ path: String, _ number: Int, _ context: InitContext
    ) throws(RuntimeError) -> MountTree {
        let plan = context.plan.mounts[number]
        let mapping = context.sources[number].mapping
        let tree = try BindSources.clone(path, plan, context.plan)
        // Who may map the ids of a filesystem's files is root where that was mounted.
        guard mapping >= 0, context.plan.namespaces.has(.user) else {
            try BindSources.mapIDs(of: tree, plan, mapping: mapping)
            return tree
        }
        try step("tell the runtime") { () throws(SystemError) in
            try context.channel.send(.mapIDs, Array(String(number).utf8), descriptor: tree.descriptor.raw)
        }
        try context.channel.waitToGoOn()
        return tree
    }

    /// The parent has cloned the source's tree and given it its attributes; the target is made as a file or a folder, as the
    /// source is.
    private static func attachBind(_ plan: MountPlan, source: Int32, root: Int32) throws(SystemError) {
        let target =
            try FileStatus(at: source, "", emptyPath: true).isDirectory
            ? RootedPath.makeDirectory(plan.destination, root: root)
            : RootedPath.makeFile(plan.destination, root: root)
        try refuseRoot(target, root: root, plan.destination)
        try refuseProc(target, plan, root: root)
        try check(sys_move_mount(source, "", target.raw, "", 0x4 | 0x40), "move_mount", plan.destination)
    }

    /// Other attributes for what is mounted there; the filesystem's own options stay.
    private static func remount(_ plan: MountPlan, root: Int32) throws(SystemError) {
        let target = try RootedPath.open(plan.destination, root: root)
        let options = plan.options
        if !options.set.isEmpty || !options.clear.isEmpty {
            try MountTree.change("", at: target.raw, set: options.set, clear: options.clear)
        }
        let tree = MountTree(target)
        try applyRecursive(options, tree)
        try applyPropagation(options, tree)
    }

    private static func attachFilesystem(
        _ plan: MountPlan, type: String, source: String, label: String?, root: Int32
    ) throws(SystemError) {
        let hasMode = plan.options.data.contains { $0.hasPrefix("mode=") }
        let existed = type == "tmpfs" && !hasMode && RootedPath.exists(plan.destination, root: root)
        let target = try RootedPath.makeDirectory(plan.destination, root: root)
        try refuseRoot(target, root: root, plan.destination)
        try refuseProc(target, plan, root: root)
        if type == "proc" || type == "sysfs" {
            // These must be where their name says: a symlink there would put the kernel's files elsewhere (CVE-2019-19921).
            try requireOrdinary(target, plan.destination, type: type, root: root)
        }
        if plan.options.data.contains(where: { $0.utf8.count > FilesystemContext.longestValue }) {
            return try mountClassic(plan, type: type, source: source, target: target.raw)
        }
        let context = try FilesystemContext(type: type)
        if !source.isEmpty { try context.set("source", source) }
        for option in plan.options.data { try configure(context, option) }
        // A tmpfs without a mode of its own looks like the folder it covers; where there was none, everybody may write, as
        // in /tmp.
        if existed { try context.set("mode", String(target.status().permissions, radix: 8)) }
        if let label, type != "proc", type != "sysfs" { try context.set("context", label) }
        let isReadOnly = plan.options.isReadOnly && !plan.becomesReadOnlyLast
        if isReadOnly, !MountStage.isKernelOwned(type) { try context.set(flag: "ro") }
        var attributes = plan.options.set
        attributes.remove(.noSymlinkFollow)
        if !isReadOnly { attributes.remove(.readOnly) }
        let tree = try context.mount(attributes)
        if plan.options.set.contains(.noSymlinkFollow) { try tree.change(set: .noSymlinkFollow) }
        try applyRecursive(plan.options, tree)
        if plan.options.copyUp {
            let from = try RootedPath.open(plan.destination, O_RDONLY | O_DIRECTORY, root: root)
            // A read-only tmpfs is filled first.
            if isReadOnly { try tree.change(clear: .readOnly) }
            try CopyUp.copy(from: from, to: tree.descriptor, keepsMode: hasMode)
            if isReadOnly { try tree.change(set: .readOnly) }
        }
        try tree.attach(over: target.raw)
        try applyPropagation(plan.options, tree)
    }

    /// The way to the target has no symbolic link in it.
    private static func requireOrdinary(
        _ target: borrowing Descriptor, _ path: String, type: String, root: Int32
    ) throws(SystemError) {
        let call = "open (a \(type) must be mounted on ordinary directory)"
        do throws(SystemError) {
            let honest = try RootedPath.open(path, root: root, resolve: [.inRoot, .noSymlinks])
            if try !honest.status().isSameFile(as: target.status()) { throw SystemError("open", errno: .loop) }
        } catch {
            throw SystemError(call, path: path, errno: error.errno)
        }
    }

    private static func configure(_ context: borrowing FilesystemContext, _ option: String) throws(SystemError) {
        guard let equals = option.firstIndex(of: "=") else { return try context.set(flag: option) }
        try context.set(String(option[..<equals]), String(option[option.index(after: equals)...]))
    }

    /// fsconfig(2) takes 255 bytes a value; overlay's lowerdir may be longer. The target is named by descriptor all the same.
    private static func mountClassic(
        _ plan: MountPlan, type: String, source: String, target: Int32
    ) throws(SystemError) {
        try Mount.mount(
            source: source, target: "/proc/self/fd/\(target)", type: type,
            flags: plan.options.isReadOnly ? .readOnly : [],
            data: plan.options.data.joined(separator: ","))
        // The descriptor names what lies below the new mount; ".." of nothing leads to the mount, the path resolved by the
        // kernel through the descriptor does.
        let tree = MountTree(try File.open("/proc/self/fd/\(target)/.", OpenFlag.path | O_DIRECTORY))
        try tree.change(set: plan.options.set)
        try applyRecursive(plan.options, tree)
        try applyPropagation(plan.options, tree)
    }

    /// Their superblock is the host's too: only the mount may be read-only.
    private static func isKernelOwned(_ type: String) -> Bool {
        ["proc", "sysfs", "mqueue", "devpts", "tmpfs", "cgroup", "cgroup2", "securityfs", "debugfs"].contains(type)
    }

    /// Mounting over the root itself would leave the descriptor that everything else goes through below it.
    private static func refuseRoot(
        _ target: borrowing Descriptor, root: Int32, _ path: String
    ) throws(SystemError) {
        let there = try target.status().raw
        let top = try FileStatus(at: root, "", emptyPath: true).raw
        if there.inode == top.inode, there.device == top.device, there.mount_id == top.mount_id {
            throw SystemError("mount over the container's root at", path: path, errno: .invalid)
        }
    }

    /// A link in the image may lead where ``MountPlan`` refuses what the destination's text alone can tell: into the container's
    /// procfs (CVE-2019-16884).
    static func refuseProc(
        _ target: borrowing Descriptor, _ plan: MountPlan, root: Int32
    ) throws(SystemError) {
        if plan.isAllowedInProc { return }
        guard try FilesystemStatistics(of: target).type == FilesystemStatistics.procMagic else { return }
        let proc = try RootedPath.open("/proc", root: root)
        if try proc.status().raw.mount_id != target.status().raw.mount_id { return }
        throw SystemError("open (is inside /proc, where nothing may be mounted)", path: plan.destination, errno: .perm)
    }

    static func applyRecursive(_ options: MountOptions, _ tree: borrowing MountTree) throws(SystemError) {
        if options.recursiveSet.isEmpty, options.recursiveClear.isEmpty { return }
        try tree.change(set: options.recursiveSet, clear: options.recursiveClear, recursive: true)
    }

    static func applyPropagation(_ options: MountOptions, _ tree: borrowing MountTree) throws(SystemError) {
        guard let propagation = options.propagation else { return }
        try tree.change(propagation: propagation, recursive: options.propagationIsRecursive)
    }
}
