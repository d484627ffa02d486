import CRI
import Glibc
import Linux

/// Connections to a port inside a pod.
enum PodDial {
    /// A stream socket connected to the loopback device of a network namespace (nil is the host's own). Blocking, bounded.
    ///
    /// A service process never enters a namespace: `kubesim-shim connect` does, and hands the socket back.
    /// - Throws: `.unavailable` when nothing listens there.
    static func connect(netns: String?, port: UInt16, program: String) throws -> Int32 {
        var arguments = [program, "connect", "--port", String(port)]
        if let netns { arguments += ["--netns", netns] }
        var descriptors: [Int32] = [-1, -1]
        try checkErrno(
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &descriptors),
            "socketpair")
        let ours = UnixSocket(Descriptor(owning: descriptors[0]))
        let theirs = Descriptor(owning: descriptors[1])
        let null = try File.open("/dev/null", O_RDWR)
        var spawn = Spawn(program, arguments, environment: [])
        spawn.descriptors = [null.raw, null.raw, null.raw, theirs.raw]
        let child = try spawn.start()
        try theirs.close()
        defer {
            try? child.pidfd.signal(SIGKILL)  // It has ended already, unless it hangs.
            _ = try? child.pidfd.wait()
        }
        var poll = pollfd(fd: ours.descriptor.raw, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, 15_000) == 1 else {
            throw CRIError(.deadlineExceeded, "no connection within 15 s")
        }
        var message = try ours.receive(limit: 4096, mostDescriptors: 1)
        if let socket = message.takeDescriptor() { return socket.release() }
        let text = String(decoding: message.bytes, as: UTF8.self)
        throw CRIError(.unavailable, text.isEmpty ? "\(program) connect ended without an answer" : text)
    }
}
