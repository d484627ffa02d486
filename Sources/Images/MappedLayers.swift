import Glibc
import Linux

/// Layers whose files show the owners that a user namespace gives them, for the moment in which overlayfs takes them up.
///
/// Each is a private bind mount with its ids mapped (mount_setattr(2), MOUNT_ATTR_IDMAP). overlayfs keeps copies of the
/// mounts, so the places where they stood are cleared as soon as it has been mounted.
struct MappedLayers: ~Copyable {
    /// Where the layers stand, in the order in which they were given.
    let paths: [String]
    private let folder: String

    /// - Throws: `SystemError` where the kernel, or the layers' filesystem, can't map ids
    init(_ layers: [String], namespace: String, folder: String) throws(SystemError) {
        let user = try File.open(namespace)
        try Directory.make(folder, mode: 0o700)
        var paths: [String] = []
        do throws(SystemError) {
            for (index, layer) in layers.enumerated() {
                let tree = try MountTree.clone(layer, recursive: false)
                try tree.change(set: .idMapped, userNamespace: user.raw)
                try tree.change(propagation: .private)
                let path = "\(folder)/\(index)"
                try Directory.make(path, mode: 0o700)
                try tree.attach(to: path)
                paths.append(path)
            }
        } catch {
            MappedLayers.clear(folder)
            throw error
        }
        self.paths = paths
        self.folder = folder
    }

    deinit { MappedLayers.clear(folder) }

    /// Takes away what stands in the folder, also after an earlier process that didn't come to it.
    static func clear(_ folder: String) {
        for name in (try? Directory.names(folder)) ?? [] {
            // What can't be unmounted stays, and so does its folder: the removal of the snapshot reports it.
            try? Mount.unmount("\(folder)/\(name)", detach: true)
            try? Directory.removeEmpty("\(folder)/\(name)")
        }
        try? Directory.removeEmpty(folder)
    }
}
