import CRI
import Glibc
import Images
import Linux

extension Engine {
    /// The ids of a container, which are its pod's.
    ///
    /// - Throws: `.invalidArgument` when the container asks for others
    func idMappings(
        _ config: CRIContainerConfig, in sandbox: SandboxRecord, for name: String
    ) throws(CRIError) -> IDMappings? {
        let own = try IDMappings.wish(config.linux.securityContext.namespaceOptions, for: name)
        let pods = try IDMappings.wish(sandbox.config.linux.securityContext.namespaceOptions, for: name)
        guard own == pods else {
            throw CRIError(
                .invalidArgument, "\(name): userns_options: other than its pod's; all of a pod share one user namespace"
            )
        }
        return own
    }

    /// Makes a container's directory. Nobody but root comes into it, and into that of a pod with ids of its own the root of
    /// that pod, whose first process looks for the container's root there.
    static func makeBundle(_ bundle: String, rootfs: String, mappings: IDMappings?) throws(SystemError) {
        try Directory.make(bundle, mode: 0o700)
        if let mappings {
            try checkErrno(chown(bundle, 0, mappings.root.gid), "chown", bundle)
            try checkErrno(chmod(bundle, 0o710), "chmod", bundle)
        }
        try Directory.make(rootfs, mode: 0o711)
    }

    /// A pod's root has to come to the pod's files on its own: it has no rights over the host's directories.
    ///
    /// - Throws: `.failedPrecondition` naming the directory that is closed to it
    static func checkReachable(_ path: String, by mappings: IDMappings?) throws {
        guard let root = mappings?.root else { return }
        var reached = ""
        for part in path.split(separator: "/") {
            reached += "/\(part)"
            let status = try FileStatus(reached)
            let mode = status.permissions
            let open =
                status.uid == root.uid ? mode & 0o100 : status.gid == root.gid ? mode & 0o010 : mode & 0o001
            guard status.isDirectory, open == 0 else { continue }
            throw CRIError(
                .failedPrecondition,
                "user namespace: the pod's root, \(root.uid) on the host, can't come through \(reached); chmod o+x \(reached)"
            )
        }
    }

    /// Gives what the engine made for a pod to the pod's root; what belongs to somebody else already stays so.
    static func hand(_ paths: [String], to mappings: IDMappings?) throws(SystemError) {
        guard let root = mappings?.root else { return }
        for path in paths {
            let status = try FileStatus(path, followLinks: false)
            guard status.uid == 0, status.gid == 0 else { continue }
            try checkErrno(lchown(path, root.uid, root.gid), "chown", path)
        }
    }
}
