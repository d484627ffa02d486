import CLinux
import Glibc
import Linux

/// The container's root: made from the plan, every target resolved inside it and mounted on by descriptor, then pivoted into.
enum RootfsStage {
    /// Everything is mounted when this returns; nothing is protected yet.
    static func prepare(_ context: InitContext) throws(RuntimeError) -> Descriptor {
        let plan = context.plan
        if plan.namespaces.creates(.mount) { try separate(plan) }
        let root = try mountRoot(context)
        for (index, mount) in plan.mounts.enumerated() {
            do throws(RuntimeError) {
                try MountStage.mount(index, context, root: root.raw)
            } catch {
                throw mount.failure(error)
            }
        }
        if let devices = plan.devices { try DeviceStage.make(devices, plan, root: root.raw) }
        return root
    }

    /// Nothing done here may travel back to the host. What the host does still arrives, unless "private" was asked for.
    private static func separate(_ plan: LaunchPlan) throws(RuntimeError) {
        let above: MountTree.Propagation = plan.rootPropagation == .private ? .private : .slave
        try step("make the mounts the container's own") { () throws(SystemError) in
            try MountTree.change("/", propagation: above, recursive: true)
        }
    }

    /// In the host's mount namespace the mounts stay behind when the container ends, as config-linux.md (Namespaces) has it:
    /// one `umount --recursive` of the root filesystem takes them away. This is that, for a container that wasn't to be.
    static func clear(_ plan: LaunchPlan, before: FileStatus) {
        // Only what was mounted since then.
        guard let now = try? FileStatus(plan.rootfs), now.raw.mount_id != before.raw.mount_id else { return }
        _ = sys_umount2(plan.rootfs, 2)
    }

    /// pivot_root needs a mount point: the root filesystem is mounted on itself.
    private static func mountRoot(_ context: InitContext) throws(RuntimeError) -> Descriptor {
        let path = context.plan.rootfs
        return try step("root filesystem") { () throws(SystemError) in
            let target = try File.open(path, OpenFlag.path | O_DIRECTORY)
            if try !target.status().isSameFile(as: context.rootfsStatus) {
                throw SystemError("open (changed since it was looked at)", path: path, errno: .invalid)
            }
            let tree = try MountTree.clone("", at: target.raw, recursive: true)
            try tree.attach(over: target.raw)
            return try tree.descriptor.duplicate()
        }
    }

    /// In a mount namespace that was joined nothing is mounted: its mounts are others' too.
    static func openJoined(_ plan: LaunchPlan) throws(RuntimeError) -> Descriptor {
        try step("root filesystem") { () throws(SystemError) in
            try File.open(plan.rootfs, OpenFlag.path | O_DIRECTORY)
        }
    }

    /// Read-only and masked paths.
    static func protect(_ plan: LaunchPlan, root: Int32) throws(RuntimeError) {
        for path in plan.readOnlyPaths {
            try step("linux.readonlyPaths \(path)") { () throws(SystemError) in
                try MaskStage.makeReadOnly(path, root: root)
            }
        }
        try MaskStage.mask(plan.maskedPaths, root: root)
    }

    /// The working directory is made when it is missing, as every engine expects.
    static func makeWorkingDirectory(_ plan: LaunchPlan, root: Int32) throws(RuntimeError) {
        let path = plan.process.workingDirectory
        if path == "/" { return }
        do throws(SystemError) {
            _ = try RootedPath.makeDirectory(path, root: root)
        } catch {
            // Not a folder, or not to be made: chdir will say so as the process's own user.
        }
    }

    /// Nothing is made in the root after this.
    static func finish(_ plan: LaunchPlan, root: Int32) throws(RuntimeError) {
        for mount in plan.mounts where mount.becomesReadOnlyLast {
            try step("mounts: \(mount.destination)") { () throws(SystemError) in
                let target = try RootedPath.open(mount.destination, root: root)
                try MountTree.change("", at: target.raw, set: .readOnly)
            }
        }
        if !plan.readOnlyRoot { return }
        try step("root.readonly") { () throws(SystemError) in try MountTree.change("", at: root, set: .readOnly) }
    }

    /// The container's root becomes this process's, and the host's tree is gone from it.
    static func pivot(_ plan: LaunchPlan, root: Int32) throws(RuntimeError) {
        try step("pivot_root into \(plan.rootfs)") { () throws(SystemError) in
            try checkErrno(fchdir(root), "fchdir", plan.rootfs)
            // The old root is put over the new one, so nothing has to be made for it; then it is taken off.
            try check(sys_pivot_root(".", "."), "pivot_root")
            try check(sys_umount2(".", 2), "umount the old root")
            try checkErrno(chdir("/"), "chdir", "/")
        }
        try setPropagation(plan)
    }

    /// For hosts whose root is a ramdisk, which pivot_root can't leave: the container's root is moved over it.
    ///
    /// The host's proc and sysfs are taken away first: seen in full below the new root, they would let a user namespace inside
    /// mount fresh ones without the masks.
    static func moveRoot(_ plan: LaunchPlan, root: Int32) throws(RuntimeError) {
        try step("move the root to \(plan.rootfs)") { () throws(SystemError) in
            let inside = MountPlan.cleaned(plan.rootfs)
            for mount in try MountInfo.all().reversed() where mount.type == "proc" || mount.type == "sysfs" {
                if mount.mountPoint.hasPrefix(inside + "/") { continue }
                let result = sys_umount2(mount.mountPoint, 2)
                if result == 0 || result == -EINVAL || result == -ENOENT { continue }
                // In a user namespace the mounts are locked together: it is covered instead.
                let tree = try FilesystemContext(type: "tmpfs").mount()
                try tree.attach(to: mount.mountPoint)
            }
            try checkErrno(fchdir(root), "fchdir", plan.rootfs)
            try check(sys_move_mount(root, "", AT_FDCWD, "/", 0x4), "move_mount", "/")
            try checkErrno(Glibc.chroot("."), "chroot")
            try checkErrno(chdir("/"), "chdir", "/")
        }
        try setPropagation(plan)
    }

    private static func setPropagation(_ plan: LaunchPlan) throws(RuntimeError) {
        if plan.rootPropagation == .slave { return }
        try step("linux.rootfsPropagation") { () throws(SystemError) in
            try MountTree.change("/", propagation: plan.rootPropagation)
        }
    }

    static func chroot(_ root: Int32) throws(RuntimeError) {
        try step("chroot into the root filesystem") { () throws(SystemError) in
            try checkErrno(fchdir(root), "fchdir")
            try checkErrno(Glibc.chroot("."), "chroot")
        }
    }
}

extension MountPlan {
    func failure(_ error: RuntimeError) -> RuntimeError {
        RuntimeError("error mounting \(sourceText) to rootfs at \(destination): \(error)")
    }

    /// What the mount is of, for an error.
    private var sourceText: String {
        switch kind {
        case .bind(let source): "\"\(source)\""
        case .filesystem(let type, _): type
        case .cgroup: "cgroup"
        case .remount: "remount"
        }
    }
}
