import Glibc
import NIOPosix
import Testing

/// Stands between a client and the server, and gives the client all that the server said in one piece.
///
/// So the upgrade's answer and the first frames come in one read, as they do by chance on a busy machine.
final class HoldingRelay: Sendable {
    let url: String
    private let listener: Int32

    init(_ url: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = Self.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        try #require(bound)
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        let port = try #require(UInt16(authority.split(separator: ":").last ?? ""))
        self.url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))" + rest.dropFirst(authority.count)
        self.listener = listener
        NIOThreadPool.singleton.submit { _ in Self.serve(listener, port) }
    }

    deinit { close(listener) }

    private static func serve(_ listener: Int32, _ port: UInt16) {
        let client = accept(listener, nil, nil)
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer {
            close(client)
            close(server)
        }
        var address = loopback(port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, let request = read(client) else { return }
        write(server, request)
        // The server's last word is the close frame with the code 1000.
        var said: [UInt8] = []
        while !said.suffix(4).elementsEqual([0x88, 0x02, 0x03, 0xE8]), let more = read(server) { said += more }
        write(client, said)
        // The client's own close frame, and its end.
        while let more = read(client) { write(server, more) }
    }

    private static func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    private static func write(_ descriptor: Int32, _ bytes: [UInt8]) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
