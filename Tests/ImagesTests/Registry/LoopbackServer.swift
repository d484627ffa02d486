import Glibc
import Synchronization
import TestKit

/// An HTTP server on 127.0.0.1 that does what a test says, also what no server should.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        var method: String
        /// With its query.
        var path: String
        /// Names in lowercase.
        var headers: [String: String]
        var body: [UInt8]
    }

    struct Reply: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        /// Sent instead of the body's length; nil leaves the field out.
        var announced: Int??
        /// The connection is closed after so many bytes of the body.
        var cut: Int?
        /// Behind the body it goes on for ever.
        var isEndless = false
        /// Between the pieces of the body, in microseconds; a piece is one byte then.
        var trickle: UInt32 = 0
        /// Nothing is sent, and the connection stays.
        var isSilent = false

        static func text(_ status: Int, _ text: String = "", _ headers: [(String, String)] = []) -> Reply {
            Reply(status: status, headers: headers, body: Array(text.utf8))
        }
    }

    let port: Int
    private let listener: Int32
    private let answer: @Sendable (Request) -> Reply
    private let seen = Mutex<[Request]>([])
    private let open = Mutex<(connections: Set<Int32>, isStopped: Bool)>(([], false))

    var authority: String { "127.0.0.1:\(port)" }
    var requests: [Request] { seen.withLock { $0 } }

    /// How many requests have had that in their path.
    func count(_ part: String) -> Int { requests.count { $0.path.contains(part) } }

    private init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Glibc.bind(listener, address, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard bound else { throw POSIXFailure("listen", "127.0.0.1") }
        port = Int(UInt16(bigEndian: address.sin_port))
        self.listener = listener
        self.answer = answer
    }

    /// Serves until `body` returns.
    static func use<Result>(
        _ answer: @escaping @Sendable (Request) -> Reply, _ body: (LoopbackServer) async throws -> Result
    ) async throws -> Result {
        let server = try LoopbackServer(answer)
        Background.run { server.accept() }
        defer { server.stop() }
        return try await body(server)
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            let isLate = open.withLock { open in
                if !open.isStopped { open.connections.insert(connection) }
                return open.isStopped
            }
            if isLate {
                close(connection)
                return
            }
            Background.run {
                self.serve(connection)
                self.open.withLock { _ = $0.connections.remove(connection) }
                close(connection)
            }
        }
    }

    private func stop() {
        open.withLock { open in
            open.isStopped = true
            for connection in open.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32) {
        while let request = Self.request(connection) {
            seen.withLock { $0.append(request) }
            guard send(answer(request), to: connection, isHead: request.method == "HEAD") else { return }
        }
    }

    private static func request(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
            var byte: UInt8 = 0
            guard bytes.count < 65536, recv(connection, &byte, 1, 0) == 1 else { return nil }
            bytes.append(byte)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        var body = [UInt8](repeating: 0, count: Int(headers["content-length"] ?? "") ?? 0)
        var filled = 0
        while filled < body.count {
            let count = recv(connection, &body[filled], body.count - filled, 0)
            guard count > 0 else { return nil }
            filled += count
        }
        return Request(method: String(words[0]), path: String(words[1]), headers: headers, body: body)
    }

    /// - Returns: whether the connection is of use any more
    private func send(_ reply: Reply, to connection: Int32, isHead: Bool) -> Bool {
        if reply.isSilent {
            var byte: UInt8 = 0
            return recv(connection, &byte, 1, 0) == 1
        }
        var head = "HTTP/1.1 \(reply.status) Whatever\r\n"
        for (name, value) in reply.headers { head += "\(name): \(value)\r\n" }
        let announced = reply.announced ?? (reply.isEndless ? nil : reply.body.count)
        if let announced { head += "Content-Length: \(announced)\r\n" } else { head += "Connection: close\r\n" }
        guard Self.write(Array((head + "\r\n").utf8)[...], to: connection) else { return false }
        if isHead { return true }
        if reply.isEndless {
            guard Self.write(reply.body[...], to: connection) else { return false }
            let piece = [UInt8](repeating: 0x20, count: 65536)
            while Self.write(piece[...], to: connection) {}
            return false
        }
        let body = reply.body.prefix(reply.cut ?? reply.body.count)
        if reply.trickle > 0 {
            for byte in body {
                guard Self.write([byte], to: connection) else { return false }
                usleep(reply.trickle)
            }
        } else {
            guard Self.write(body, to: connection) else { return false }
        }
        return reply.cut == nil && announced != nil
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to connection: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
