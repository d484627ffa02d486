import CLinux
import Glibc
import Linux
import ShimProtocol

/// A pod's user namespace, kept alive by a mount of it, and the network namespace that it owns.
///
/// The network belongs to whoever was root where it was made: only a namespace made inside lets the pod's root mount its
/// sysfs and set its parameters (user_namespaces(7)).
struct UserNamespace {
    /// Where it is mounted.
    var path: String
    /// uid_map and gid_map as the kernel takes them: lines of `inside outside count`.
    var uids: String
    var gids: String

    /// Makes it, and the network namespace when a path is given; each is mounted on its path.
    ///
    /// Nothing is left when it fails. Refused when something is mounted there already: it belongs to somebody.
    func make(network: String?) throws(ShimFailure) {
        let paths = [path] + (network.map { [$0] } ?? [])
        for path in paths { try Self.makePlace(path) }
        do throws(SystemError) {
            try makeNamespaces(network)
        } catch {
            for path in paths { NetworkNamespace.remove(path) }
            throw ShimFailure(.system, "make a user namespace: \(error)")
        }
    }

    private static func makePlace(_ path: String) throws(ShimFailure) {
        do throws(SystemError) {
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try Directory.make(String(path[..<slash]))
            }
            _ = try File.open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o444)
            guard try FilesystemStatistics(path).type != FilesystemStatistics.nsfsMagic else {
                throw SystemError("a namespace is mounted already on", path: path, errno: .exists)
            }
        } catch {
            throw ShimFailure(error.errno == .exists ? .exists : .system, "make a user namespace: \(error)")
        }
    }

    /// A child goes into the new namespaces and waits there, while this process, which still has all rights on the host, maps
    /// the ids and mounts what the child is in.
    private func makeNamespaces(_ network: String?) throws(SystemError) {
        var words = try Pipe()
        var answers = try Pipe()
        let fromChild = Descriptor(owning: words.takeReading())
        let childSays = Descriptor(owning: words.takeWriting())
        let childHears = Descriptor(owning: answers.takeReading())
        var toChild: Descriptor? = Descriptor(owning: answers.takeWriting())
        let number = toChild?.raw ?? -1
        let pid = sys_fork()
        // In the child the parent's end is closed: its death, too, is the word to go.
        if pid == 0 { Self.live(childSays, childHears, closing: number, hasNetwork: network != nil) }
        guard pid > 0 else { throw SystemError("fork", errno: Errno(rawValue: -pid)) }
        try childSays.close()
        try childHears.close()
        var failure: SystemError?
        do throws(SystemError) {
            try Self.expect(fromChild)
            try File.writeExisting("/proc/\(pid)/uid_map", uids)
            try File.writeExisting("/proc/\(pid)/gid_map", gids)
            try toChild?.writeAll([1])
            try Self.expect(fromChild)
            try Mount.bind("/proc/\(pid)/ns/user", on: path)
            if let network { try Mount.bind("/proc/\(pid)/ns/net", on: network) }
        } catch {
            failure = error
        }
        toChild = nil
        _ = try? ExitStatus.reap(pid)
        if let failure { throw failure }
    }

    /// The child: says that its namespaces are there, or what hinders it.
    private static func live(
        _ says: consuming Descriptor, _ hears: consuming Descriptor, closing other: Int32, hasNetwork: Bool
    ) -> Never {
        close(other)
        do throws(SystemError) {
            try Namespace.user.unshare()
            try says.writeAll([1])
            // Until then this process is nobody in its own namespace.
            guard try hears.nextByte() != nil else { _exit(1) }
            if hasNetwork {
                try Namespace.network.unshare()
                try NetworkLink.setUp("lo")
            }
            try says.writeAll([1])
            // The end of the pipe is the word to go.
            _ = try hears.nextByte()
            _exit(0)
        } catch {
            try? says.writeAll([UInt8(ascii: "!")] + Array(error.description.utf8))
            _exit(1)
        }
    }

    /// Waits for the child's next word.
    private static func expect(_ child: borrowing Descriptor) throws(SystemError) {
        let word = try child.nextByte()
        if word == 1 { return }
        let rest = try child.readAll(limit: 4096)
        throw SystemError(
            word == nil ? "the child ended in it" : String(decoding: rest, as: UTF8.self), errno: .invalid)
    }
}

extension Descriptor {
    /// The next byte; nil at the end.
    fileprivate func nextByte() throws(SystemError) -> UInt8? {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { room.deallocate() }
        return try read(into: room) == 0 ? nil : room[0]
    }
}
