import Glibc

/// Makes sure that only one node works on a root directory: two would undo each other's work.
final class NodeLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``NodeError`` when another node holds the directory.
    init(root: String) throws(NodeError) {
        let path = root + "/node.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw NodeError("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw NodeError(
                code == EWOULDBLOCK
                    ? "another node is running on \(root): stop it, or give this one its own --root"
                    : "cannot lock \(path): \(String(cString: strerror(code)))")
        }
    }

    deinit { close(descriptor) }
}
