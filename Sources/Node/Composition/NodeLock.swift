import Glibc

/// Makes sure that only one node or CRI works on a root directory: two would undo each other's work.
final class NodeLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``NodeError`` when another node holds the directory.
    init(root: String) throws(NodeError) {
        let path = root + "/node.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw NodeError("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        // A process's own lock, which no child inherits: a plugin that is just being started can't hold it past the node's
        // end (fcntl(2), F_SETLK).
        var range = Glibc.flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        guard fcntl(descriptor, F_SETLK, &range) == 0 else {
            let code = errno
            close(descriptor)
            throw NodeError(
                code == EAGAIN || code == EACCES
                    ? "another `kubesim node` or `kubesim cri` is running on \(root): stop it, or give this one its own --root"
                    : "cannot lock \(path): \(String(cString: strerror(code)))")
        }
    }

    deinit { close(descriptor) }
}
