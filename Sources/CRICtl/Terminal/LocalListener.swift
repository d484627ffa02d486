import Glibc

/// A socket that listens on the loopback device.
final class LocalListener: Sendable {
    enum Family: CaseIterable {
        case ipv4, ipv6
    }

    let port: UInt16
    /// `127.0.0.1:8080` or `[::1]:8080`
    let address: String
    private let descriptor: Int32

    /// One of each family that there is, on the same port, as kubectl has them: whichever of its addresses a client takes
    /// `localhost` for, somebody listens.
    ///
    /// - Parameter port: 0 is any that is free
    /// - Throws: when none can be had
    static func all(port: UInt16) throws -> [LocalListener] {
        var (listeners, failure): ([LocalListener], (any Error)?) = ([], nil)
        for family in Family.allCases {
            do {
                listeners.append(try LocalListener(family, port: listeners.first?.port ?? port))
            } catch {
                failure = failure ?? error
            }
        }
        if let failure, listeners.isEmpty { throw failure }
        return listeners
    }

    init(_ family: Family, port: UInt16) throws {
        let (number, host) = family == .ipv4 ? (AF_INET, "127.0.0.1") : (AF_INET6, "[::1]")
        let socket = socket(number, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Failure("socket: \(String(cString: strerror(errno)))") }
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        if family == .ipv6 {
            setsockopt(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        var bound: UInt16?
        if bind(socket, family, port), listen(socket, 64) == 0 { bound = Self.port(of: socket) }
        guard let bound else {
            let reason = String(cString: strerror(errno))
            close(socket)
            throw Failure("can't listen on \(host):\(port): \(reason)")
        }
        (self.port, address, descriptor) = (bound, "\(host):\(bound)", socket)
    }

    deinit { close(descriptor) }

    /// The next connection, the caller's; nil once the task is cancelled or the socket broke.
    func accept() async -> Int32? {
        await BlockingCall.whenReadable(descriptor) { Glibc.accept($0, nil, nil) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}

private func bind(_ socket: Int32, _ family: LocalListener.Family, _ port: UInt16) -> Bool {
    func bind<Address>(_ address: Address) -> Bool {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }
    switch family {
    case .ipv4:
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return bind(address)
    case .ipv6:
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        return bind(address)
    }
}

extension LocalListener {
    private static func port(of socket: Int32) -> UInt16? {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
        }
        // The port has the same place in either family's address.
        return result == 0 ? UInt16(bigEndian: address.sin6_port) : nil
    }
}
