import CLinux
import Glibc
import Linux

/// What the parent prepared for one bind mount, by descriptor.
struct BindSource: Sendable {
    /// A detached tree with its final attributes; -1 where the child makes it.
    var tree: Int32 = -1
    /// The user namespace whose mapping the child's tree gets, or -1.
    var mapping: Int32 = -1
}

/// The sources of the plan's bind mounts that the child couldn't open: where there is a user namespace only this side still has
/// its rights.
///
/// All others are the child's, each when its turn has come: earlier mounts may have made what is inside the container's root,
/// and the kernel lists mounts in the order in which they came to be.
struct BindSources: ~Copyable {
    /// One for each mount of the plan.
    let prepared: [BindSource]
    private let mappings: [MappingNamespace]

    /// - Parameter inChild: without root's rights only the child can clone trees, once it is root of its user namespace.
    init(_ plan: LaunchPlan, inChild: Bool) throws(RuntimeError) {
        var prepared = plan.mounts.map { _ in BindSource() }
        var mappings: [MappingNamespace] = []
        do throws(RuntimeError) {
            for (index, mount) in plan.mounts.enumerated() where !inChild {
                guard case .bind(let source) = mount.kind else { continue }
                do throws(RuntimeError) {
                    let mapping = try mount.idMapping.map { value throws(RuntimeError) in try MappingNamespace(value) }
                    if let mapping { mappings.append(mapping) }
                    prepared[index] = try BindSources.prepare(source, mount, plan, mapping: mapping?.number ?? -1)
                } catch {
                    throw RuntimeError("error mounting \"\(source)\" to rootfs at \(mount.destination): \(error)")
                }
            }
        } catch {
            for source in prepared where source.tree >= 0 { close(source.tree) }
            throw error
        }
        self.prepared = prepared
        self.mappings = mappings
    }

    deinit { for source in prepared where source.tree >= 0 { close(source.tree) } }

    private static func prepare(
        _ source: String, _ mount: MountPlan, _ plan: LaunchPlan, mapping: Int32
    ) throws(RuntimeError) -> BindSource {
        if !plan.namespaces.has(.user) { return BindSource(mapping: mapping) }
        // Ids are mapped with the host's rights only, so such a source must be there before all mounts.
        if mapping < 0, plan.isInsideRoot(source) { return BindSource() }
        do throws(SystemError) {
            return BindSource(
                tree: try clone(source, mount, plan, mapping: mapping).descriptor.duplicate().release())
        } catch {
            throw RuntimeError(error.description)
        }
    }

    /// A detached copy of what is at the source, with its attributes and its mapping of ids.
    static func clone(
        _ source: String, _ mount: MountPlan, _ plan: LaunchPlan, mapping: Int32
    ) throws(SystemError) -> MountTree {
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
        if mount.idMapping != nil {
            if mapping < 0 { throw SystemError("map ids without root's rights", path: source, errno: .perm) }
            try tree.change(
                set: .idMapped, recursive: options.idMapIsRecursive ?? false, userNamespace: mapping)
        }
        return tree
    }
}
