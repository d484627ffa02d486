import CLinux
import Glibc
import Linux
import ShimProtocol

/// A sandbox's own directory: root's, 0700, served by one shim at a time (CVE-2020-15257).
struct PrivateDirectory: ~Copyable {
    static let socketName = "shim.sock"
    static let pidName = "shim.pid"
    /// Files that live as long as one run of the OCI runtime. No container's record begins like this: its name would have
    /// to hold a comma.
    static let temporaryPrefix = "run,"

    let path: String
    /// Holds the lock that says that a shim serves this directory, as long as it is open in any process.
    let descriptor: Descriptor

    init(_ path: String) throws(ShimFailure) {
        let opened = try Self.open(path)
        guard sys_flock(opened.raw, LOCK_EX | LOCK_NB) >= 0 else {
            throw ShimFailure(.exists, "another shim serves \(path)")
        }
        self.path = path
        descriptor = opened
    }

    private static func open(_ path: String) throws(ShimFailure) -> Descriptor {
        do throws(SystemError) {
            let opened = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let status = try opened.status()
            guard status.raw.uid == geteuid() else {
                throw SystemError("the directory belongs to another user; use", path: path, errno: .perm)
            }
            guard status.permissions & 0o077 == 0 else {
                throw SystemError("the directory is open to others, it must be 0700: use", path: path, errno: .perm)
            }
            return opened
        } catch {
            throw ShimFailure(.system, error.description)
        }
    }

    /// Binds the socket; what a dead shim left is replaced, except its exit records: they are for the agent.
    func listen() throws(ShimFailure) -> UnixSocket {
        do throws(SystemError) {
            for name in try Directory.names(of: descriptor) where name.hasPrefix(Self.temporaryPrefix) {
                try File.remove(name, at: descriptor.raw)
            }
            try File.remove(Self.socketName, at: descriptor.raw)
            let socket = try UnixSocket.listen(at: path + "/" + Self.socketName, .sequencedPacket)
            try socket.descriptor.setNonBlocking(true)
            return socket
        } catch {
            throw ShimFailure(.system, error.description)
        }
    }

    /// Removes what a shim keeps while it lives.
    func clear() {
        for name in [Self.socketName, Self.pidName] { unlinkat(descriptor.raw, name, 0) }
    }
}
