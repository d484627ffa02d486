import CLinux
import Glibc
import Linux

/// The sources of the plan's bind mounts that the child couldn't open, as detached trees with their final attributes: where
/// there is a user namespace only this side still has its rights, and only this side can map ids.
///
/// All others are the child's, each when its turn has come: earlier mounts may have made what is inside the container's root,
/// and the kernel lists mounts in the order in which they came to be.
struct BindSources: ~Copyable {
    /// For each mount of the plan, a tree's descriptor or -1.
    let numbers: [Int32]

    /// - Parameter inChild: without root's rights only the child can clone trees, once it is root of its user namespace.
    init(_ plan: LaunchPlan, inChild: Bool) throws(RuntimeError) {
        if inChild {
            numbers = plan.mounts.map { _ in -1 }
            return
        }
        var opened: [Int32] = []
        do throws(RuntimeError) {
            for mount in plan.mounts {
                guard case .bind(let source) = mount.kind, BindSources.needsParent(source, mount, plan) else {
                    opened.append(-1)
                    continue
                }
                do throws(RuntimeError) {
                    opened.append(try BindSources.open(source, mount, plan))
                } catch {
                    throw RuntimeError("error mounting \"\(source)\" to rootfs at \(mount.destination): \(error)")
                }
            }
        } catch {
            for number in opened where number >= 0 { close(number) }
            throw error
        }
        numbers = opened
    }

    deinit { for number in numbers where number >= 0 { close(number) } }

    private static func needsParent(_ source: String, _ mount: MountPlan, _ plan: LaunchPlan) -> Bool {
        mount.idMapping != nil || (plan.namespaces.has(.user) && !plan.isInsideRoot(source))
    }

    private static func open(_ source: String, _ mount: MountPlan, _ plan: LaunchPlan) throws(RuntimeError) -> Int32 {
        let namespace = try mount.idMapping.map { mapping throws(RuntimeError) in try MappingNamespace(mapping) }
        do throws(SystemError) {
            let tree = try clone(source, mount, plan)
            if let namespace {
                try tree.change(
                    set: .idMapped, recursive: mount.options.idMapIsRecursive ?? false, userNamespace: namespace.number)
            }
            return try tree.descriptor.duplicate().release()
        } catch {
            throw RuntimeError(error.description)
        }
    }

    /// A detached copy of what is at the source, with its attributes.
    static func clone(_ source: String, _ mount: MountPlan, _ plan: LaunchPlan) throws(SystemError) -> MountTree {
        let options = mount.options
        let tree = try MountTree.clone(source, recursive: options.recursiveBind)
        if MountPlan.cleaned(mount.destination) == "/proc" {
            if try FilesystemStatistics(of: tree.descriptor).type != FilesystemStatistics.procMagic {
                throw SystemError("only a procfs may be mounted on /proc, not", path: source, errno: .invalid)
            }
        }
        // A clone of a shared mount is its peer: what the container mounts below would appear on the host.
        switch plan.rootPropagation {
        case .shared: break
        case .private, .unbindable: try tree.change(propagation: .private, recursive: true)
        case .slave: try tree.change(propagation: .slave, recursive: true)
        }
        let isLocked = plan.namespaces.has(.user)
        let attributes = try BindAttributes(
            options,
            source: { () throws(SystemError) in
                // The host's list of mounts is long: it is read only where something could be refused.
                if isLocked, !options.clear.isEmpty { return try MountTree.Attributes(ofMountUnder: source) }
                return try MountTree.Attributes(under: tree.descriptor)
            }, isLocked: isLocked)
        if !attributes.set.isEmpty || !attributes.clear.isEmpty {
            try tree.change(set: attributes.set, clear: attributes.clear)
        }
        try MountStage.applyRecursive(options, tree)
        try MountStage.applyPropagation(options, tree)
        return tree
    }
}
