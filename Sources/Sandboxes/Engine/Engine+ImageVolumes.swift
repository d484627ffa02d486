import CRI
import Images
import Linux

extension Engine {
    /// Image volumes as the spec mounts them, and the ids of their images by container path.
    struct MountedImages: Sendable {
        var mounts: [PreparedMount] = []
        var references: [String: String] = [:]
    }

    /// Mounts the images that a container has as volumes, each read-only and with the owners of the pod's user namespace.
    func mountImageVolumes(_ record: ContainerRecord, mapping: RootMapping?) async throws -> MountedImages {
        var mounted = MountedImages()
        for (index, mount) in record.config.mounts.enumerated() where ImageVolumes.isOne(mount) {
            try ImageVolumes.check(mount)
            let destination = try MountSources.destination(mount)
            let folder = "\(places.imageVolumes(record.id))/\(index)"
            let image = try await findImage(mount.image, for: "mount on \(destination)")
            do {
                try await Blocking.run { try Directory.make(folder, mode: 0o711) }
                _ = try await images.mountRootfs(
                    image: image, container: imageVolume(record.id, index), at: folder + "/root", readOnly: true,
                    mapping: mapping)
                if !mount.imageSubPath.isEmpty {
                    try await Blocking.run {
                        try ImageVolumes.bind(mount.imageSubPath, of: folder + "/root", to: folder + "/volume")
                    }
                }
            } catch let error as SystemError {
                let reason = "image_sub_path \(mount.imageSubPath) of \(mount.image.image): \(error.errno)"
                throw ImageVolumes.failure(.invalidArgument, destination, reason)
            } catch {
                throw ImageVolumes.failure(.unknown, destination, "\(error)")
            }
            mounted.mounts.append(
                PreparedMount(
                    destination: destination, source: folder + (mount.imageSubPath.isEmpty ? "/root" : "/volume"),
                    readonly: true, recursiveReadOnly: false, propagation: .propagationPrivate))
            mounted.references[mount.containerPath] = image.id
        }
        return mounted
    }

    /// Takes a container's image volumes away; none is success.
    func clearImageVolumes(of id: ContainerID) async throws {
        let folder = places.imageVolumes(id)
        // After a restart of the machine the mounts are gone, and the snapshots are still there.
        let names = await Blocking.run { (try? Directory.names(folder)) ?? [] }
        for name in names {
            try await Blocking.run { try Linux.Mount.unmount("\(folder)/\(name)/volume", detach: true) }
            try await images.unmountRootfs(container: id.text, at: "\(folder)/\(name)/root")
        }
        let prefix = imageVolume(id, nil)
        for name in try await images.snapshotContainers() where name.hasPrefix(prefix) {
            try await images.removeSnapshot(container: name)
        }
    }

    /// The snapshot's name of a volume; without a number the beginning of all of them.
    private nonisolated func imageVolume(_ id: ContainerID, _ index: Int?) -> String {
        "\(id.text)-image-" + (index.map { String($0) } ?? "")
    }
}
