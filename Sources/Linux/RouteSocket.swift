import CLinux
import Glibc

/// Requests to the kernel's network configuration (rtnetlink(7)), in the network namespace in which it was made.
public struct RouteSocket: ~Copyable {
    private let descriptor: Descriptor
    private var sequence: UInt32 = 0

    /// NLM_F_….
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        public static let request = Flags(rawValue: 0x001)
        public static let acknowledge = Flags(rawValue: 0x004)
        public static let dump = Flags(rawValue: 0x300)
        public static let create = Flags(rawValue: 0x400)
        public static let exclusive = Flags(rawValue: 0x200)
    }

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try check(sys_route_socket(), "netlink socket"))
    }

    /// An interface's number, ENODEV when there is none of that name.
    public static func index(of name: String) throws(SystemError) -> Int32 {
        try check(sys_interface_index(name), "find the interface", name)
    }

    /// Sends one request and returns the bodies of what came back, without acknowledgements.
    ///
    /// Every length in an answer is checked against what is there (CVE-2021-43784).
    public mutating func request(
        _ type: UInt16, _ flags: Flags, _ body: [UInt8], _ what: String
    ) throws(SystemError) -> [(type: UInt16, body: ArraySlice<UInt8>)] {
        sequence += 1
        var message = NetlinkBytes()
        message.number(UInt32(16 + body.count))
        message.number(type)
        message.number(flags.union([.request, .acknowledge]).rawValue)
        message.number(sequence)
        message.number(UInt32(0))
        let bytes = message.bytes + body
        let sent = bytes.withUnsafeBytes { Glibc.send(descriptor.raw, $0.baseAddress, $0.count, 0) }
        try checkErrno(sent, what)
        var found: [(type: UInt16, body: ArraySlice<UInt8>)] = []
        while true {
            let answer = try receive(what)
            var rest = answer[...]
            while rest.count >= 16 {
                let length = Int(NetlinkBytes.read(rest, 0, UInt32.self))
                guard length >= 16, length <= rest.count else { throw SystemError(what, errno: .messageSize) }
                let kind = NetlinkBytes.read(rest, 4, UInt16.self)
                let part = rest.prefix(length).dropFirst(16)
                if NetlinkBytes.read(rest, 8, UInt32.self) == sequence {
                    switch kind {
                    case 2:  // NLMSG_ERROR; zero is the acknowledgement
                        guard part.count >= 4 else { throw SystemError(what, errno: .messageSize) }
                        let code = NetlinkBytes.read(part, 0, Int32.self)
                        if code == 0 { return found }
                        throw SystemError(what, errno: Errno(rawValue: -code))
                    case 3: return found  // NLMSG_DONE
                    default: found.append((kind, part))
                    }
                }
                rest = rest.dropFirst(min((length + 3) / 4 * 4, rest.count))
            }
        }
    }

    private func receive(_ what: String) throws(SystemError) -> [UInt8] {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, filled in
            repeat {
                count = recv(descriptor.raw, buffer.baseAddress, 64 << 10, 0)
            } while count < 0 && Glibc.errno == EINTR
            filled = max(count, 0)
        }
        try checkErrno(count, what)
        return bytes
    }
}

/// The bytes of netlink messages: numbers in the machine's order, attributes with their lengths.
public struct NetlinkBytes: Sendable, Hashable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func number<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    /// An attribute (struct rtattr), padded to four bytes. One that is too long for its length's 16 bits is refused: what lies
    /// beyond would be read as attributes of its own (CVE-2021-43784).
    public mutating func attribute(_ type: UInt16, _ value: some Collection<UInt8>) throws(SystemError) {
        guard let length = UInt16(exactly: value.count + 4) else {
            throw SystemError("netlink attribute", errno: .messageSize)
        }
        number(length)
        number(type)
        bytes.append(contentsOf: value)
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    public mutating func attribute(_ type: UInt16, _ value: UInt32) throws(SystemError) {
        try attribute(type, withUnsafeBytes(of: value) { Array($0) })
    }

    /// The attributes in `bytes`; nil when a length is wrong.
    public static func attributes(_ bytes: ArraySlice<UInt8>) -> [(type: UInt16, value: ArraySlice<UInt8>)]? {
        var found: [(type: UInt16, value: ArraySlice<UInt8>)] = []
        var rest = bytes
        while rest.count >= 4 {
            let length = Int(read(rest, 0, UInt16.self))
            guard length >= 4, length <= rest.count else { return nil }
            found.append((read(rest, 2, UInt16.self) & 0x3FFF, rest.prefix(length).dropFirst(4)))
            rest = rest.dropFirst(min((length + 3) / 4 * 4, rest.count))
        }
        return found
    }

    /// A number at an offset; 0 beyond the end.
    public static func read<Value: FixedWidthInteger>(
        _ bytes: ArraySlice<UInt8>, _ offset: Int, _ type: Value.Type
    ) -> Value {
        let size = Value.bitWidth / 8
        guard offset + size <= bytes.count else { return 0 }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }
}
