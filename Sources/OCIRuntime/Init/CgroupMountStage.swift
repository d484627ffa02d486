import CLinux
import Cgroups
import Glibc
import Linux

/// The container's view of its cgroups: only its own, read-only unless the configuration says "rw" (CVE-2023-25809).
enum CgroupMountStage {
    static func mount(_ plan: MountPlan, _ context: InitContext, root: Int32) throws(SystemError) {
        let target = try RootedPath.makeDirectory(plan.destination, root: root)
        try MountStage.refuseProc(target, plan, root: root)
        var attributes = plan.options.set
        if !plan.options.clear.contains(.readOnly) { attributes.insert(.readOnly) }
        guard let cgroup = context.cgroup else { return try bindHosts(plan, target: target.raw, attributes) }
        switch cgroup.host.mode {
        case .v2:
            guard let directory = cgroup.directory(nil) else { return }
            // The container's own directory: with a cgroup namespace it is the namespace's root, without one the same files.
            let tree = try MountTree.clone(directory, recursive: false)
            try tree.change(set: attributes, propagation: .private)
            try tree.attach(over: target.raw)
            try MountStage.applyPropagation(plan.options, tree)
        case .v1, .hybrid:
            try mountHierarchies(plan, cgroup, target: target.raw, attributes)
        }
    }

    /// Without a cgroup of its own the container sees the host's, and can't change them.
    private static func bindHosts(
        _ plan: MountPlan, target: Int32, _ attributes: MountTree.Attributes
    ) throws(SystemError) {
        let tree = try MountTree.clone("/sys/fs/cgroup", recursive: true)
        try tree.change(set: attributes.union(.readOnly), propagation: .private, recursive: true)
        try tree.attach(over: target)
    }

    /// A tmpfs with a folder for each hierarchy, named as on the host, and a link for each controller that shares one.
    private static func mountHierarchies(
        _ plan: MountPlan, _ cgroup: Cgroup, target: Int32, _ attributes: MountTree.Attributes
    ) throws(SystemError) {
        let filesystem = try FilesystemContext(type: "tmpfs")
        try filesystem.set("source", "cgroup")
        try filesystem.set("mode", "755")
        let tree = try filesystem.mount(attributes.subtracting(.readOnly))
        try tree.attach(over: target)
        let top = tree.descriptor.raw
        for hierarchy in cgroup.host.v1 {
            guard let controller = hierarchy.controllers.first, let directory = cgroup.directory(controller),
                let slash = hierarchy.mountPoint.lastIndex(of: "/")
            else { continue }
            let name = String(hierarchy.mountPoint[hierarchy.mountPoint.index(after: slash)...])
            try checkErrno(mkdirat(top, name, 0o755), "mkdir", name)
            try MountTree.clone(directory, recursive: false).attach(to: name, at: top)
            for other in hierarchy.controllers where other != name && !other.hasPrefix("name=") {
                // Another hierarchy may have that name already.
                _ = symlinkat(name, top, other)
            }
        }
        // Of all of them at once; nobody but this process is in the container yet.
        try tree.change(set: attributes, propagation: .private, recursive: true)
        try MountStage.applyPropagation(plan.options, tree)
    }
}
