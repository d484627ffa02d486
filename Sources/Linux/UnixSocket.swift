import CLinux
import Glibc

/// Unix sockets: by path of any length, with descriptors as passengers and the peer's credentials.
public struct UnixSocket: ~Copyable, Sendable {
    /// SOCK_….
    public enum Kind: Int32, Sendable {
        case stream = 1
        case datagram = 2
        /// Connected, with message borders: one send is one receive.
        case sequencedPacket = 5
    }

    /// Who is at the other end (SO_PEERCRED).
    public struct Peer: Sendable, Hashable {
        public let pid: pid_t
        public let uid: uid_t
        public let gid: gid_t
    }

    public let descriptor: Descriptor

    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    public init(_ kind: Kind) throws(SystemError) {
        descriptor = Descriptor(owning: try check(sys_unix_socket(kind.rawValue), "socket"))
    }

    /// Two ends, close-on-exec.
    public static func pair(_ kind: Kind) throws(SystemError) -> UnixSocketPair {
        var ends: [Int32] = [-1, -1]
        try check(sys_unix_socketpair(kind.rawValue, &ends), "socketpair")
        return UnixSocketPair(UnixSocket(Descriptor(owning: ends[0])), UnixSocket(Descriptor(owning: ends[1])))
    }

    /// A listening socket at `path`, which must not exist; its mode is set before anyone can connect.
    public static func listen(
        at path: String, _ kind: Kind, mode: UInt32 = 0o600, backlog: Int32 = 64
    ) throws(SystemError) -> UnixSocket {
        let socket = try UnixSocket(kind)
        let place = try Place(path)
        try check(sys_unix_bind(socket.descriptor.raw, place.address), "bind", path)
        // Nobody can connect before listen(2), so the mode is right by then.
        let mended = sys_fchmodat(place.directory.raw, place.name, mode)
        if mended < 0 {
            unlinkat(place.directory.raw, place.name, 0)
            try check(mended, "chmod", path)
        }
        try check(sys_listen(socket.descriptor.raw, backlog), "listen", path)
        return socket
    }

    /// Connects to the socket at `path`.
    public static func connect(to path: String, _ kind: Kind) throws(SystemError) -> UnixSocket {
        let socket = try UnixSocket(kind)
        let place = try Place(path)
        try check(sys_unix_connect(socket.descriptor.raw, place.address), "connect", path)
        return socket
    }

    /// accept4(2). EAGAIN is thrown when the socket is non-blocking and nobody waits.
    public func accept() throws(SystemError) -> UnixSocket {
        UnixSocket(Descriptor(owning: try check(sys_accept(descriptor.raw), "accept")))
    }

    public func peer() throws(SystemError) -> Peer {
        var raw = sys_peer_info()
        try check(sys_peer(descriptor.raw, &raw), "SO_PEERCRED")
        return Peer(pid: raw.pid, uid: raw.uid, gid: raw.gid)
    }

    /// One sendmsg(2): bytes, and numbers of descriptors (at most 64) that the receiver gets its own copies of.
    /// - Returns: bytes sent; all of them on a packet socket.
    @discardableResult
    public func send(
        _ bytes: UnsafeRawBufferPointer, descriptors: [Int32] = [], nonBlocking: Bool = false
    ) throws(SystemError) -> Int {
        let flags: Int32 = nonBlocking ? Int32(MSG_DONTWAIT) : 0
        let count = sys_send(descriptor.raw, bytes.baseAddress, bytes.count, descriptors, descriptors.count, flags)
        return try check(count, "send")
    }

    @discardableResult
    public func send(
        _ bytes: [UInt8], descriptors: [Int32] = [], nonBlocking: Bool = false
    ) throws(SystemError) -> Int {
        var result: Result<Int, SystemError> = .success(0)
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) {
                result = .success(try send(buffer, descriptors: descriptors, nonBlocking: nonBlocking))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    /// One recvmsg(2). No bytes mean that the other end is closed. EMSGSIZE when the message was longer than `limit` or
    /// carried more than `mostDescriptors`; nothing is kept open then.
    public func receive(
        limit: Int = 64 << 10, mostDescriptors: Int = 0, nonBlocking: Bool = false
    ) throws(SystemError) -> Message {
        let flags: Int32 = nonBlocking ? Int32(MSG_DONTWAIT) : 0
        var numbers = [Int32](repeating: -1, count: mostDescriptors)
        var count = mostDescriptors
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            result = sys_receive(descriptor.raw, buffer.baseAddress, limit, &numbers, &count, flags)
            filled = max(result, 0)
        }
        try check(result, "receive")
        numbers.removeLast(numbers.count - count)
        return Message(bytes: bytes, numbers: numbers)
    }

    /// What one receive brought; owns the descriptors that weren't taken out of it.
    public struct Message: ~Copyable, Sendable {
        public let bytes: [UInt8]
        private var numbers: [Int32]

        init(bytes: [UInt8], numbers: [Int32]) {
            self.bytes = bytes
            self.numbers = numbers
        }

        public var descriptorCount: Int { numbers.count }

        /// The first descriptor that is left, or nil.
        public mutating func takeDescriptor() -> Descriptor? {
            numbers.isEmpty ? nil : Descriptor(owning: numbers.removeFirst())
        }

        deinit { for number in numbers { Glibc.close(number) } }
    }

    /// sun_path has 108 bytes: a longer path goes through its directory's descriptor.
    private struct Place: ~Copyable {
        let directory: Descriptor
        let name: String
        let address: String

        init(_ path: String) throws(SystemError) {
            let slash = path.lastIndex(of: "/")
            name = slash.map { String(path[path.index(after: $0)...]) } ?? path
            let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            directory = try File.open(parent, OpenFlag.path | O_DIRECTORY)
            address = path.utf8.count < 108 ? path : "/proc/self/fd/\(directory.raw)/\(name)"
        }
    }
}

/// The two ends of socketpair(2).
public struct UnixSocketPair: ~Copyable, Sendable {
    public let first: UnixSocket
    public let second: UnixSocket

    init(_ first: consuming UnixSocket, _ second: consuming UnixSocket) {
        self.first = first
        self.second = second
    }

    /// Both, for two owners.
    public consuming func split(
        _ body: (consuming UnixSocket, consuming UnixSocket) throws(SystemError) -> Void
    ) throws(SystemError) {
        try body(first, second)
    }
}
