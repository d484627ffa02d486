import CRI
import Glibc
import Linux

/// Volumes that are an image's content (`Mount.image`).
enum ImageVolumes {
    /// Whether a mount is of an image.
    static func isOne(_ mount: CRIMount) -> Bool { mount.hasImage && !mount.image.image.isEmpty }

    /// Checks what can be checked before anything is mounted: such a volume is read-only and comes from nowhere else.
    static func check(_ mount: CRIMount) throws(CRIError) {
        let destination = try MountSources.destination(mount)
        guard mount.hostPath.isEmpty else {
            throw failure(.invalidArgument, destination, "host_path and image at once")
        }
        guard mount.readonly else {
            throw failure(.invalidArgument, destination, "an image can only be mounted readonly")
        }
        let parts = mount.imageSubPath.split(separator: "/", omittingEmptySubsequences: false)
        guard !mount.imageSubPath.hasPrefix("/"), !parts.contains(".."), !mount.imageSubPath.utf8.contains(0) else {
            throw failure(
                .invalidArgument, destination,
                "image_sub_path \"\(mount.imageSubPath.prefix(200))\": not a path below the image's root")
        }
    }

    /// Binds the directory `subPath` of the image mounted at `root` to `target`, by descriptor: what the image's links say is
    /// resolved inside the image (CVE-2021-25741). Blocking.
    static func bind(_ subPath: String, of root: String, to target: String) throws(SystemError) {
        let folder = try File.open(root, OpenFlag.path | O_DIRECTORY)
        let found = try RootedPath.open(
            subPath, OpenFlag.path | O_DIRECTORY, root: folder.raw, resolve: [.inRoot, .noMagicLinks])
        try Directory.make(target, mode: 0o755)
        try MountTree.clone("", at: found.raw, recursive: false).attach(to: target)
    }

    /// The words are the kubelet's, who knows the reason by them (cri-api, ErrImageVolumeMountFailed).
    static func failure(_ code: CRIError.Code, _ destination: String, _ reason: String) -> CRIError {
        CRIError(code, "ImageVolumeMountFailed: mount on \(destination): \(reason)")
    }
}
