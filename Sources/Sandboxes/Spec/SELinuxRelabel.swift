import CRI
import Glibc
import Linux

/// Gives a volume's files the label that a container's processes may use (selinux_relabel).
enum SELinuxRelabel {
    /// Places that hold the host's own files: a label meant for a container there would lock the host out.
    private static let refused: Set<String> = [
        "/", "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/dev", "/proc", "/sys", "/run", "/var",
        "/root",
        "/home", "/tmp",
    ]
    private static let mostDepth = 256

    /// Labels the tree at `path`: links themselves, never what they lead to, and nothing on another mount. A filesystem
    /// without labels is left as it is. Blocking.
    static func apply(_ label: String, to path: String) throws(CRIError) {
        guard !refused.contains(ProcessPlan.cleanPath(path)) else {
            throw CRIError(.invalidArgument, "relabel \(path): that is the host's own; mount a directory below it")
        }
        do throws(SystemError) {
            try set(label, of: path)
            guard try FileStatus(path, followLinks: false).isDirectory else { return }
            try walk(try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), label, depth: 0)
        } catch {
            throw CRIError(.unknown, "relabel \(path) with \(label): \(error)")
        }
    }

    private static func walk(_ folder: borrowing Descriptor, _ label: String, depth: Int) throws(SystemError) {
        guard depth < mostDepth else { throw SystemError("open", errno: .loop) }
        for name in try Directory.names(of: folder) {
            // Through the folder's descriptor: only the last name is looked up, and a link there is not followed.
            try set(label, of: "/proc/self/fd/\(folder.raw)/\(name)")
            guard try FileStatus(at: folder.raw, name, followLinks: false).isDirectory else { continue }
            let child = try RootedPath.open(
                name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, root: folder.raw,
                resolve: [.noCrossMount, .noSymlinks])
            try walk(child, label, depth: depth + 1)
        }
    }

    private static func set(_ label: String, of path: String) throws(SystemError) {
        do throws(SystemError) {
            try ExtendedAttributes.set("security.selinux", Array(label.utf8) + [0], of: path)
        } catch {
            if error.errno != .notSupported { throw error }
        }
    }
}
