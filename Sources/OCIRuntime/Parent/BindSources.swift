import CLinux
import Glibc
import Linux

/// What the parent prepared for one bind mount, by descriptor.
struct BindSource: Sendable {
    /// A detached tree with its final attributes; -1 where the child makes it.
    var tree: Int32 = -1
    /// The user namespace whose mapping the child's tree gets, or -1. In a user namespace the parent has to do it.
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
                    throw mount.failure(error)
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
        // In the child all mounts are the host's slaves by then: only a copy made here is a peer of the host's mount, so that
        // what the container mounts below it travels back.
        let isPeer = plan.rootPropagation == .shared && mount.options.propagation == .shared
        // Earlier mounts may make what is inside the root.
        if !plan.namespaces.has(.user) && !isPeer || plan.isInsideRoot(source) { return BindSource(mapping: mapping) }
        let tree = try clone(source, mount, plan)
        try mapIDs(of: tree, mount, mapping: mapping)
        return try kernel { () throws(SystemError) in BindSource(tree: try tree.descriptor.duplicate().release()) }
    }

    /// A detached copy of what is at the source, with its attributes.
    static func clone(_ source: String, _ mount: MountPlan, _ plan: LaunchPlan) throws(RuntimeError) -> MountTree {
        let options = mount.options
        let tree = try kernel { () throws(SystemError) in try copy(source, mount, plan) }
        let isLocked = plan.namespaces.has(.user)
        let attributes = try BindAttributes(
            options,
            source: { () throws(SystemError) in
                // The host's list of mounts is long: it is read only where something could be refused.
                if isLocked, !options.clear.isEmpty { return try MountTree.Attributes(ofMountUnder: source) }
                return try MountTree.Attributes(under: tree.descriptor)
            }, isLocked: isLocked)
        try kernel { () throws(SystemError) in
            if !attributes.set.isEmpty || !attributes.clear.isEmpty {
                try tree.change(set: attributes.set, clear: attributes.clear)
            }
            try MountStage.applyRecursive(options, tree)
            try MountStage.applyPropagation(options, tree)
        }
        return tree
    }

    private static func copy(
        _ source: String, _ mount: MountPlan, _ plan: LaunchPlan
    ) throws(SystemError) -> MountTree {
        let tree = try MountTree.clone(source, recursive: mount.options.recursiveBind)
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
        return tree
    }

    /// Maps the ids of a tree that isn't mounted yet, if the plan says so.
    static func mapIDs(of tree: borrowing MountTree, _ mount: MountPlan, mapping: Int32) throws(RuntimeError) {
        if mount.idMapping == nil { return }
        try kernel { () throws(SystemError) in
            if mapping < 0 { throw SystemError("map ids without root's rights", errno: .perm) }
            try tree.change(set: .idMapped, recursive: mount.options.idMapIsRecursive ?? false, userNamespace: mapping)
        }
    }

    /// For the init, which has no rights over the host's filesystems.
    func mapIDs(of tree: borrowing MountTree, mount number: Int?, _ plan: LaunchPlan) throws(RuntimeError) {
        guard let number, prepared.indices.contains(number) else {
            throw RuntimeError("internal error: no such mount")
        }
        let mount = plan.mounts[number]
        do throws(RuntimeError) {
            try BindSources.mapIDs(of: tree, mount, mapping: prepared[number].mapping)
        } catch {
            throw mount.failure(error)
        }
    }
}
