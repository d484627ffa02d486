import CLinux
import Glibc
import Linux

/// Gives every file of a container's root the owner that its user namespace asks for: the slow way, for kernels and
/// filesystems that can't map ids. Each file that changes hands is copied up into the container's own layer.
enum OwnerShift {
    /// Directories nested deeper than this were made to exhaust somebody.
    private static let mostDepth = 256

    /// Shifts the tree at `path`, a mounted root that nobody uses yet. Ids that the namespace doesn't know stay as they are,
    /// and are nobody's inside.
    static func apply(_ mapping: RootMapping, to path: String) throws(ImportFailure) {
        do throws(SystemError) {
            let root = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            try shift(contentsOf: root, mapping, depth: 0)
            try change("", in: root.raw, mapping)
        } catch {
            throw .call("give a user namespace the files of (\(error.call))", error.path ?? path, -error.errno.rawValue)
        }
    }

    private static func shift(
        contentsOf folder: borrowing Linux.Descriptor, _ mapping: RootMapping, depth: Int
    ) throws(SystemError) {
        guard depth < mostDepth else { throw SystemError("open", errno: .loop) }
        for name in try Directory.names(of: folder) {
            let status = try FileStatus(at: folder.raw, name, followLinks: false)
            if status.isDirectory {
                let child = try RootedPath.open(
                    name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, root: folder.raw,
                    resolve: [.noCrossMount, .noSymlinks])
                try shift(contentsOf: child, mapping, depth: depth + 1)
            }
            try change(name, in: folder.raw, mapping)
        }
    }

    /// The kernel takes set-id bits and capabilities from a file that changes hands: they are given back.
    private static func change(_ name: String, in folder: Int32, _ mapping: RootMapping) throws(SystemError) {
        let status = try FileStatus(at: folder, name, followLinks: false, emptyPath: name.isEmpty)
        let uid = RootMapping.host(status.uid, mapping.uids) ?? status.uid
        let gid = RootMapping.host(status.gid, mapping.gids) ?? status.gid
        guard uid != status.uid || gid != status.gid else { return }
        // A name of the image's own: /proc/self/fd leads to the folder, the name is not followed.
        let path = "/proc/self/fd/\(folder)/\(name)"
        let capability = status.isRegular ? try ExtendedAttributes.get(xattr, of: path) : nil
        let flags = AT_SYMLINK_NOFOLLOW | (name.isEmpty ? 0x1000 : 0)
        try checkErrno(fchownat(folder, name, uid, gid, flags), "chown", name)
        if status.isSymlink { return }
        if status.permissions & 0o6000 != 0 {
            try checkErrno(
                name.isEmpty
                    ? fchmod(folder, status.permissions) : fchmodat(folder, name, status.permissions, 0), "chmod", name)
        }
        if let capability {
            try ExtendedAttributes.set(xattr, capability, of: path)
        }
    }

    private static let xattr = "security.capability"

    @discardableResult
    private static func checkErrno(_ result: Int32, _ call: String, _ path: String) throws(SystemError) -> Int32 {
        if result < 0 { throw SystemError(call, path: path, errno: .current) }
        return result
    }
}
