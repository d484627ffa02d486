import CLinux
import Glibc
import Linux
import ShimProtocol

/// The pod's network namespace, kept alive by a mount of it.
enum NetworkNamespace {
    /// Makes a network namespace with loopback up and mounts it on `path`, whose directory is made when missing.
    ///
    /// Nothing is left when it fails. Refused when something is mounted there already: it belongs to somebody.
    static func make(at path: String) throws(ShimFailure) {
        do throws(SystemError) {
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try Directory.make(String(path[..<slash]))
            }
            _ = try File.open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o444)
            guard try FilesystemStatistics(path).type != FilesystemStatistics.nsfsMagic else {
                throw SystemError("a network namespace is mounted already on", path: path, errno: .exists)
            }
        } catch {
            throw ShimFailure(error.errno == .exists ? .exists : .system, "make a network namespace: \(error)")
        }
        do throws(ShimFailure) {
            try inChild { () throws(SystemError) in
                try Namespace.network.unshare()
                try NetworkLink.setUp("lo")
                try Mount.bind("/proc/self/ns/net", on: path)
            }
        } catch {
            remove(path)
            throw error
        }
    }

    /// Takes the mount and its file away; the namespace goes with its last process.
    static func remove(_ path: String) {
        // Called to undo: what made it necessary is what is reported.
        try? Mount.unmount(path, detach: true)
        try? File.remove(path)
    }

    /// Runs `body` in a forked child, so that this process stays in its own namespaces.
    private static func inChild(_ body: () throws(SystemError) -> Void) throws(ShimFailure) {
        let output: Descriptor
        let input: Descriptor
        do throws(SystemError) {
            var pipe = try Pipe()
            output = Descriptor(owning: pipe.takeReading())
            input = Descriptor(owning: pipe.takeWriting())
        } catch {
            throw ShimFailure(.system, "make a network namespace: \(error)")
        }
        let pid = sys_fork()
        if pid == 0 {
            do throws(SystemError) {
                try body()
                _exit(0)
            } catch {
                // The parent sees the exit code if the text is lost.
                try? input.writeAll(error.description)
                _exit(1)
            }
        }
        _ = consume input
        guard pid > 0 else {
            throw ShimFailure(.system, "make a network namespace: fork: \(Errno(rawValue: -pid))")
        }
        do throws(SystemError) {
            let text = try output.readAll(limit: 4096)
            let status = try ExitStatus.reap(pid)
            guard status != .exited(code: 0) else { return }
            throw SystemError(String(decoding: text, as: UTF8.self), errno: .invalid)
        } catch {
            throw ShimFailure(.system, "make a network namespace: \(error.call)")
        }
    }
}
