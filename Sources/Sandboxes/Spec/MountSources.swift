import CRI
import Glibc
import Linux
import OCISpec

/// Makes a config's mounts ready: the sources exist, the propagation that is asked for is possible.
enum MountSources {
    /// Blocking: looks at host paths. Mounts of images are not among them (``ImageVolumes``).
    ///
    /// - Parameters:
    ///   - features: of the OCI runtime that will make them
    ///   - place: told which path is being looked at
    static func prepare(
        _ asked: [CRIMount], features: RuntimeFeatures, at place: Whereabouts = Whereabouts()
    ) throws(CRIError) -> [PreparedMount] {
        var prepared: [PreparedMount] = []
        for mount in asked where !ImageVolumes.isOne(mount) {
            let destination = try destination(mount)
            guard mount.hostPath.hasPrefix("/"), !mount.hostPath.utf8.contains(0) else {
                throw CRIError(
                    .invalidArgument, "mount on \(destination): host_path \"\(mount.hostPath)\": not absolute")
            }
            try checkReadOnly(mount, destination, features)
            let (uids, gids) = try idMappings(mount, destination, features)
            place.path = mount.hostPath
            prepared.append(
                PreparedMount(
                    destination: destination, source: try source(mount.hostPath, for: destination),
                    readonly: mount.readonly, recursiveReadOnly: mount.recursiveReadOnly,
                    propagation: mount.propagation, uidMappings: uids, gidMappings: gids))
        }
        try checkPropagation(prepared)
        return prepared
    }

    /// Where a mount goes: a path in the container, not its root.
    static func destination(_ mount: CRIMount) throws(CRIError) -> String {
        let destination = ProcessPlan.cleanPath(mount.containerPath)
        guard !mount.containerPath.isEmpty, destination != "/", !mount.containerPath.utf8.contains(0) else {
            throw CRIError(.invalidArgument, "mount on \"\(mount.containerPath)\": not a path in the container")
        }
        return destination
    }

    private static func checkReadOnly(
        _ mount: CRIMount, _ destination: String, _ features: RuntimeFeatures
    ) throws(CRIError) {
        guard mount.recursiveReadOnly else { return }
        guard mount.readonly else {
            throw CRIError(.invalidArgument, "mount on \(destination): recursive_read_only without readonly")
        }
        guard mount.propagation == .propagationPrivate else {
            throw CRIError(
                .invalidArgument, "mount on \(destination): recursive_read_only needs private propagation")
        }
        guard features.recursiveReadOnlyMounts else {
            // The words are the kubelet's, who knows the reason by them (cri-api, ErrRROUnsupported).
            throw CRIError(
                .unknown,
                "RROUnsupported: mount on \(destination): the pod's OCI runtime can't make mounts read-only recursively"
            )
        }
    }

    private static func idMappings(
        _ mount: CRIMount, _ destination: String, _ features: RuntimeFeatures
    ) throws(CRIError) -> ([LinuxIDMapping], [LinuxIDMapping]) {
        guard mount.uidMappings.isEmpty == mount.gidMappings.isEmpty else {
            throw CRIError(
                .invalidArgument, "mount on \(destination): uidMappings and gidMappings go together")
        }
        guard !mount.uidMappings.isEmpty else { return ([], []) }
        guard features.userNamespaces else {
            throw CRIError(
                .failedPrecondition, "mount on \(destination): the pod's OCI runtime can't map the ids of mounts")
        }
        return (
            try IDMappings.ranges(mount.uidMappings, "mount on \(destination): uidMappings"),
            try IDMappings.ranges(mount.gidMappings, "mount on \(destination): gidMappings")
        )
    }

    /// The host path with its links resolved; a directory is made of one that isn't there, as every CRI runtime does.
    private static func source(_ path: String, for destination: String) throws(CRIError) -> String {
        do {
            if !File.exists(path) { try Directory.make(path, mode: 0o755) }
        } catch {
            throw CRIError(.unknown, "mount on \(destination): make host path: \(error)")
        }
        guard let resolved = realpath(path, nil) else {
            throw CRIError(.unknown, "mount on \(destination): host path \(path): \(Errno.current)")
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Mounts can only travel to (or from) a source whose own mount is a peer: mount_namespaces(7).
    private static func checkPropagation(_ mounts: [PreparedMount]) throws(CRIError) {
        guard mounts.contains(where: { $0.propagation != .propagationPrivate }) else { return }
        let table: [MountInfo]
        do { table = try MountInfo.all() } catch { throw CRIError(.unknown, "mount propagation: \(error)") }
        for mount in mounts where mount.propagation != .propagationPrivate {
            let holder = table.filter { info in
                info.mountPoint == "/" || mount.source == info.mountPoint
                    || mount.source.hasPrefix(info.mountPoint + "/")
            }.max { $0.mountPoint.utf8.count < $1.mountPoint.utf8.count }
            let tags = holder?.propagation ?? []
            let shared = tags.contains { $0.hasPrefix("shared:") }
            let slave = tags.contains { $0.hasPrefix("master:") }
            if mount.propagation == .propagationBidirectional ? !shared : !(shared || slave) {
                throw CRIError(
                    .failedPrecondition,
                    """
                    mount on \(mount.destination): host path \(mount.source) lies on \(holder?.mountPoint ?? "/"), which \
                    is not a shared mount; mount --make-rshared \(holder?.mountPoint ?? "/")
                    """)
            }
        }
    }
}
