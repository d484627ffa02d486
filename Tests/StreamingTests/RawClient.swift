import Glibc
import NIOPosix
import Testing

/// A client that says exactly what a test wants said, well-behaved or not.
///
/// Its calls block, so they run on threads of their own: the server needs those that tests run on.
final class RawClient: @unchecked Sendable {
    private let socket: Int32

    init(_ url: String) throws {
        let authority = url.dropFirst("http://".count).prefix { $0 != "/" }
        let port = try #require(UInt16(authority.split(separator: ":").last ?? ""))
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        try #require(connected == 0)
    }

    deinit { close(socket) }

    func send(_ bytes: [UInt8]) async { await away { $0.sendBlocking(bytes) } }

    /// Whether the bytes went within a second: they don't when nobody takes them.
    func sendUnlessFull(_ bytes: [UInt8]) async -> Bool {
        await away { client in
            var limit = timeval(tv_sec: 1, tv_usec: 0)
            setsockopt(client.socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(client.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private func away<Result: Sendable>(_ body: @escaping @Sendable (RawClient) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in continuation.resume(returning: body(self)) }
        }
    }

    private func sendBlocking(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    func send(_ text: String) async { await send(Array(text.utf8)) }

    /// Asks for an upgrade and returns the answer's head and what came with it.
    func upgrade(
        _ url: String, protocols: String = "v5.channel.k8s.io", upgrade: String = "websocket", query: String = ""
    ) async -> String {
        let path = url.dropFirst("http://".count).drop { $0 != "/" }
        await send(
            "GET \(path)\(query) HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: \(upgrade)\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + (protocols.isEmpty ? "" : "Sec-WebSocket-Protocol: \(protocols)\r\n") + "\r\n")
        return String(decoding: await away { $0.readHead() }, as: UTF8.self)
    }

    /// Asks for SPDY, as client-go does.
    func upgradeToSPDY(_ url: String, versions: [String]) async -> String {
        let path = url.dropFirst("http://".count).drop { $0 != "/" }
        await send(
            "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                + versions.map { "X-Stream-Protocol-Version: \($0)\r\n" }.joined() + "\r\n")
        return String(decoding: await away { $0.readHead() }, as: UTF8.self)
    }

    private func readHead() -> [UInt8] {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]), let byte = readBlocking(1) { bytes += byte }
        if String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 101") { return bytes }
        while let more = readBlocking(1) { bytes += more }
        return bytes
    }

    /// Whether the server has closed the connection; what it has said before must have been read.
    var hasEnded: Bool {
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) == 0
    }

    /// Exactly `count` bytes; nil when the connection ends before.
    func read(_ count: Int) async -> [UInt8]? { await away { $0.readBlocking(count) } }

    private func readBlocking(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                recv(socket, $0.baseAddress.map { $0 + filled }, count - filled, 0)
            }
            if got <= 0 { return nil }
            filled += got
        }
        return bytes
    }

    /// A frame from the server: opcode and payload; nil at the end.
    func frame() async -> (opcode: UInt8, payload: [UInt8])? { await away { $0.frameBlocking() } }

    private func frameBlocking() -> (opcode: UInt8, payload: [UInt8])? {
        guard let head = readBlocking(2) else { return nil }
        var length = Int(head[1] & 0x7f)
        if length == 126, let more = readBlocking(2) { length = more.reduce(0) { $0 << 8 | Int($1) } }
        if length == 127, let more = readBlocking(8) { length = more.reduce(0) { $0 << 8 | Int($1) } }
        return readBlocking(length).map { (head[0] & 0x0f, $0) }
    }

    /// Sends a frame; clients mask theirs.
    func send(_ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, masked: Bool = true) async {
        var bytes: [UInt8] = [(fin ? 0x80 : 0) | opcode]
        let flag: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case ..<126: bytes.append(flag | UInt8(payload.count))
        case ..<65536: bytes += [flag | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        default: bytes += [flag | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        let mask: [UInt8] = [1, 2, 3, 4]
        if masked { bytes += mask }
        bytes += masked ? payload.enumerated().map { $1 ^ mask[$0 % 4] } : payload
        await send(bytes)
    }

    /// Every frame up to the goodbye: payloads by channel, and the goodbye's code.
    func collect() async -> (channels: [UInt8: [UInt8]], code: Int?) { await away { $0.collectBlocking() } }

    private func collectBlocking() -> (channels: [UInt8: [UInt8]], code: Int?) {
        var channels: [UInt8: [UInt8]] = [:]
        while let (opcode, payload) = frameBlocking() {
            switch opcode {
            case 8: return (channels, payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil)
            case 1, 2: if let channel = payload.first { channels[channel, default: []] += payload.dropFirst() }
            default: continue
            }
        }
        return (channels, nil)
    }
}
