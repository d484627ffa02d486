import FoundationEssentials
import Glibc

/// The answer to a GET, asked without any library: what a test wants to know is only whether something real answers.
public struct WebAnswer: Sendable {
    public let status: Int
    public let body: String

    /// Asks `http://address:port/path`, off the cooperative threads.
    ///
    /// - Returns: nil when nobody answers there (refused, unreachable, or silent for five seconds).
    public static func ask(_ address: String, _ port: UInt16, _ path: String) async -> WebAnswer? {
        await withCheckedContinuation { continuation in
            Background.run { continuation.resume(returning: askBlocking(address, port, path)) }
        }
    }

    private static func askBlocking(_ address: String, _ port: UInt16, _ path: String) -> WebAnswer? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &peer.sin_addr) == 1 else { return nil }
        let connected = withUnsafePointer(to: peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return nil }
        let request = "GET \(path) HTTP/1.0\r\nHost: \(address)\r\n\r\n"
        guard request.withCString({ send(socket, $0, strlen($0), Int32(MSG_NOSIGNAL)) }) > 0 else {
            return nil
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        let text = String(decoding: answer, as: UTF8.self)
        let head = text.split(separator: " ", maxSplits: 2)
        guard head.count > 1, let status = Int(head[1]) else { return nil }
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        return WebAnswer(status: status, body: parts.count > 1 ? String(parts[1]) : "")
    }
}
