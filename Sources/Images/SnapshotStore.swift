import CLinux
import Glibc
import Linux
import Logging

/// The containers' own layers: what each writes, and the mount that shows it on top of its image.
final class SnapshotStore: Sendable {
    private struct Record: Codable {
        var version = 1
        var image: String
        var chainIDs: [Digest]
    }

    private let workspace: Workspace
    private let layers: LayerStore

    /// Finds the snapshots that are there and keeps their layers in place.
    init(_ workspace: Workspace, _ layers: LayerStore, logger: Logger) throws(ImportFailure) {
        self.workspace = workspace
        self.layers = layers
        for container in try containers() {
            let path = "\(workspace.snapshots)/\(container)"
            MappedLayers.clear(path + "/mapped")
            if let record = try readRecord(Record.self, from: path + "/snapshot.json"), record.version == 1 {
                if let missing = layers.retain(record.chainIDs) {
                    logger.error(
                        "A layer below a container is gone",
                        metadata: ["container": "\(container)", "layer": "\(missing)"])
                }
            } else {
                // Made only in part: the container never had it mounted.
                logger.info("Removing a snapshot that was not finished", metadata: ["container": "\(container)"])
                try workspace.discard(path)
            }
        }
    }

    func containers() throws(ImportFailure) -> [String] {
        let directory = try OpenFile.directory(workspace.snapshots)
        return try TreeRemoval.names(in: directory.fd, path: workspace.snapshots).map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Makes the snapshot, or takes the one that is there, and mounts it, for a user namespace with that one's owners.
    func mount(
        _ image: StoredImage, container: String, at target: String, readOnly: Bool, mapping: RootMapping? = nil
    ) throws(ImportFailure) -> Snapshot {
        let path = try path(container)
        let upper = path + "/upper"
        let snapshot = Snapshot(container: container, image: "\(image.id)", target: target, upper: upper)
        var made = false
        if let record = try readRecord(Record.self, from: path + "/snapshot.json") {
            guard record.image == "\(image.id)" else {
                throw .failed(
                    step: "mount", path: target,
                    reason: "container \(container) already has a root of image \(record.image)")
            }
            if try Self.isMounted(target) { return snapshot }
            // It was mounted once: what was written then may be there in part only, if the machine went down meanwhile.
            if access("\(path)/work/\(OverlayMount.volatileMark)", F_OK) == 0 {
                try remove(container: container)
                try make(path, image, mapping)
                made = true
            }
        } else {
            try make(path, image, mapping)
            made = true
        }
        do throws(ImportFailure) {
            try makeDirectories(target, mode: 0o755)
            let lower = image.chainIDs.isEmpty ? [path + "/none"] : image.chainIDs.reversed().map(layers.tree)
            let overlay = OverlayMount(
                lower: lower, upper: upper, work: path + "/work", target: target, readOnly: readOnly)
            if let mapping { try mount(overlay, mapping, path: path) } else { try overlay.mount() }
        } catch {
            if made { try? remove(container: container) }  // The mount's own error is the one to report.
            throw error
        }
        return snapshot
    }

    /// Mounts layers whose ids are mapped; where the kernel can't do that, the files change hands one by one.
    ///
    /// An earlier mount of the snapshot may have gone the slow way: then its files have changed hands, and once is enough.
    private func mount(_ overlay: OverlayMount, _ mapping: RootMapping, path: String) throws(ImportFailure) {
        let shifted = path + "/shifted"
        if access(shifted, F_OK) == 0 { return try overlay.mount() }
        do throws(SystemError) {
            let layers = try MappedLayers(overlay.lower, namespace: mapping.namespace, folder: path + "/mapped")
            var mapped = overlay
            mapped.lower = layers.paths
            do throws(ImportFailure) {
                return try mapped.mount()
            } catch {
                // Before Linux 5.19 overlayfs takes no such layers. What else is wrong, the slow way will meet, too.
            }
        } catch {
            guard [.invalid, .noSystemCall, .notSupported, .perm].contains(error.errno) else {
                throw .call("map the ids of (\(error.call))", error.path ?? path, -error.errno.rawValue)
            }
        }
        var writable = overlay
        writable.readOnly = false
        try writable.mount()
        do throws(ImportFailure) {
            try OwnerShift.apply(mapping, to: overlay.target)
            try replaceFile(shifted, with: [])
            guard overlay.readOnly else { return }
            do throws(SystemError) {
                try MountTree.change(overlay.target, set: .readOnly)
            } catch {
                throw .call("make read-only (\(error.call))", overlay.target, -error.errno.rawValue)
            }
        } catch {
            try? unmount(path, at: overlay.target)  // The first error is the one to report.
            throw error
        }
    }

    private func make(_ path: String, _ image: StoredImage, _ mapping: RootMapping?) throws(ImportFailure) {
        if let missing = layers.retain(image.chainIDs) {
            throw .failed(
                step: "use the layer", path: layers.tree(missing), reason: "it is gone (load the image again)")
        }
        let temporary = try workspace.makeTemporary()
        do throws(ImportFailure) {
            // `none` stands below an image that has no layer at all.
            for name in ["upper", "work", "none"] {
                try checkErrno(mkdir("\(temporary)/\(name)", 0o755), "mkdir", "\(temporary)/\(name)")
            }
            if let top = image.chainIDs.last {
                try Self.copyAttributes(of: layers.tree(top), to: temporary + "/upper", mapping)
            }
            try writeRecord(Record(image: "\(image.id)", chainIDs: image.chainIDs), to: temporary + "/snapshot.json")
            try checkErrno(rename(temporary, path), "rename", path)
        } catch {
            layers.release(image.chainIDs)
            try? workspace.discard(temporary)  // The first error is the one to report; the next start clears the rest.
            throw error
        }
    }

    /// The root of a mounted overlay is the upper directory: it must look like the image's.
    private static func copyAttributes(
        of source: String, to target: String, _ mapping: RootMapping?
    ) throws(ImportFailure) {
        var status = stat()
        try checkErrno(stat(source, &status), "stat", source)
        let uid = mapping.flatMap { RootMapping.host(status.st_uid, $0.uids) } ?? status.st_uid
        let gid = mapping.flatMap { RootMapping.host(status.st_gid, $0.gids) } ?? status.st_gid
        try checkErrno(chown(target, uid, gid), "set the owner of", target)
        try checkErrno(chmod(target, status.st_mode & 0o7777), "set the mode of", target)
        var times = [status.st_atim, status.st_mtim]
        try checkErrno(utimensat(AT_FDCWD, target, &times, 0), "set the time of", target)
    }

    /// What was written stays, and is there at the next mount.
    func unmount(container: String, at target: String) throws(ImportFailure) {
        try unmount(try path(container), at: target)
    }

    private func unmount(_ path: String, at target: String) throws(ImportFailure) {
        // MNT_DETACH and UMOUNT_NOFOLLOW (umount2(2)).
        let (detach, noFollow): (Int32, Int32) = (2, 8)
        var result = sys_umount2(target, noFollow)
        // The machine hasn't gone down since the mount, so the kernel's mark that it might have can go.
        if result == 0 { OverlayMount.forgetVolatile(work: path + "/work") }
        if result == -EBUSY { result = sys_umount2(target, noFollow | detach) }
        if result == -EINVAL || result == -ENOENT { return }
        try check(result, "unmount", target)
    }

    func remove(container: String) throws(ImportFailure) {
        let path = try path(container)
        MappedLayers.clear(path + "/mapped")
        guard let record = try readRecord(Record.self, from: path + "/snapshot.json") else {
            return try workspace.discard(path)
        }
        try workspace.discard(path)
        layers.release(record.chainIDs)
    }

    func usage(container: String) throws(ImportFailure) -> DiskUsage? {
        let upper = try path(container) + "/upper"
        guard access(upper, F_OK) == 0 else { return nil }
        return try TreeUsage.measure(upper)
    }

    /// A container's name is a directory's name here, and nothing else.
    private func path(_ container: String) throws(ImportFailure) -> String {
        let legal = !container.isEmpty && container.utf8.count <= 255 && container.utf8.first != 0x2e
        guard legal, container.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x2f && $0 < 0x7f }) else {
            throw .failed(
                step: "use the container's name", path: printable(container.utf8),
                reason: "it is no name for a directory")
        }
        return "\(workspace.snapshots)/\(container)"
    }

    /// Is something mounted right on this directory?
    private static func isMounted(_ target: String) throws(ImportFailure) -> Bool {
        var (own, parent) = (sys_stat(), sys_stat())
        let result = sys_statx(AT_FDCWD, target, AT_SYMLINK_NOFOLLOW, &own)
        if result == -ENOENT { return false }
        try check(result, "stat", target)
        try check(sys_statx(AT_FDCWD, target + "/..", 0, &parent), "stat", target)
        return own.mount_id != parent.mount_id
    }
}
