import Glibc
import Linux
import ShimProtocol

/// `kubesim-shim connect`: a connection to a port inside a pod, for a caller that can't enter namespaces itself.
///
/// The socket goes to the caller as a passenger (SCM_RIGHTS) of a packet on descriptor 3; when there is no connection, the
/// packet is the reason in words.
enum PodConnect {
    /// Descriptor 3: a connected Unix socket of the caller's.
    private static let answer: Int32 = 3

    /// Reads `--port N [--netns PATH]`, connects and answers; never returns.
    static func main(_ arguments: some Sequence<String>) -> Never {
        let caller = UnixSocket(Descriptor(owning: answer))
        do throws(ShimFailure) {
            let (port, netns) = try options(arguments)
            let connection = try connect(port: port, netns: netns)
            do throws(SystemError) {
                try caller.send([UInt8(ascii: "+")], descriptors: [connection.raw])
            } catch {
                _exit(1)
            }
            _exit(0)
        } catch {
            // When the caller is gone nobody wants to know.
            _ = try? caller.send(Array(error.message.utf8))
            _exit(1)
        }
    }

    private static func options(_ arguments: some Sequence<String>) throws(ShimFailure) -> (UInt16, String?) {
        var rest = arguments.makeIterator()
        var port: UInt16?
        var netns: String?
        while let name = rest.next() {
            guard let value = rest.next() else { throw ShimFailure(.invalid, "\(name) needs a value") }
            switch name {
            case "--port": port = UInt16(value)
            case "--netns": netns = value
            default: throw ShimFailure(.invalid, "unknown option \(name)")
            }
        }
        guard let port, port != 0 else { throw ShimFailure(.invalid, "--port must be 1…65535") }
        return (port, netns)
    }

    /// Tries the loopback addresses of both families, the older one first.
    private static func connect(port: UInt16, netns: String?) throws(ShimFailure) -> Descriptor {
        if let netns {
            do throws(SystemError) {
                let namespace = try File.open(netns)
                try Namespace.network.join(namespace.raw, netns)
            } catch {
                throw ShimFailure(.system, "enter the pod's network: \(error)")
            }
        }
        var ipv4 = sockaddr_in()
        ipv4.sin_family = sa_family_t(AF_INET)
        ipv4.sin_port = port.bigEndian
        ipv4.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let first = dial(AF_INET, ipv4)
        if let socket = first.socket { return Descriptor(owning: socket) }
        var ipv6 = sockaddr_in6()
        ipv6.sin6_family = sa_family_t(AF_INET6)
        ipv6.sin6_port = port.bigEndian
        ipv6.sin6_addr = in6addr_loopback
        if let socket = dial(AF_INET6, ipv6).socket { return Descriptor(owning: socket) }
        throw ShimFailure(.notFound, "connect to 127.0.0.1:\(port): \(first.reason)")
    }

    /// A blocking connect to loopback answers at once, unless a firewall swallows it: the caller's deadline ends us then.
    private static func dial<Address>(_ family: Int32, _ address: Address) -> (socket: Int32?, reason: Errno) {
        let number = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number < 0 { return (nil, .current) }
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(number, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if result == 0 { return (number, .current) }
        let reason = Errno.current
        close(number)
        return (nil, reason)
    }
}
