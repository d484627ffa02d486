import CLinux
import Glibc
import Linux

/// A connection to a message bus, or to systemd itself, over its Unix socket. Calls are made one at a time.
final class DBusConnection {
    private let socket: UnixSocket
    private var waiting: [UInt8] = []
    private var serial: UInt32 = 0
    private let deadline: Int
    /// Signals that came while an answer was awaited.
    private var signals: [DBusMessage] = []

    /// - Parameter seconds: after which every call on the connection fails.
    init(_ path: String, isBus: Bool, seconds: Int = 30) throws(RuntimeError) {
        deadline = DBusConnection.now() + seconds * 1000
        socket = try step("systemd") { () throws(SystemError) in try UnixSocket.connect(to: path, .stream) }
        try authenticate()
        if isBus {
            _ = try call("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", to: "org.freedesktop.DBus")
        }
    }

    /// EXTERNAL: the kernel tells the bus who this is.
    private func authenticate() throws(RuntimeError) {
        let digits = Array("0123456789abcdef".utf8)
        let name = String(geteuid()).utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        try write([0] + Array("AUTH EXTERNAL ".utf8) + name + Array("\r\n".utf8))
        var line: [UInt8] = []
        while line.isEmpty {
            if let end = waiting.firstIndex(of: UInt8(ascii: "\n")) {
                line = Array(waiting[...end])
                waiting.removeFirst(line.count)
                continue
            }
            if waiting.count > 4096 { throw RuntimeError("systemd: the bus answers nonsense to AUTH") }
            try read()
        }
        let answer = String(decoding: line, as: UTF8.self)
        guard answer.hasPrefix("OK") else {
            throw RuntimeError("systemd: the bus refuses uid \(geteuid()): \(answer.filter { $0 >= " " })")
        }
        try write(Array("BEGIN\r\n".utf8))
    }

    /// One method call and its answer's body.
    func call(
        _ path: String, _ interface: String, _ member: String, _ body: [DBusValue] = [], to destination: String
    ) throws(RuntimeError) -> [DBusValue] {
        serial += 1
        var message = DBusMessage(kind: .call)
        message.serial = serial
        message.path = path
        message.interface = interface
        message.member = member
        message.destination = destination
        message.body = body
        try write(message.encoded())
        while true {
            let answer = try next()
            if answer.kind == .signal { signals.append(answer) }
            guard answer.replySerial == serial else { continue }
            if answer.kind == .error {
                throw RuntimeError("systemd: \(member): \(answer.body.first?.text ?? answer.errorName ?? "error")")
            }
            return answer.body
        }
    }

    /// The next signal of that name.
    func signal(_ member: String) throws(RuntimeError) -> [DBusValue] {
        while true {
            let message: DBusMessage
            if signals.isEmpty { message = try next() } else { message = signals.removeFirst() }
            if message.kind == .signal, message.member == member { return message.body }
        }
    }

    private func next() throws(RuntimeError) -> DBusMessage {
        while waiting.count < 16 { try read() }
        let length = try DBusMessage.length(waiting[..<16])
        while waiting.count < length { try read() }
        let bytes = Array(waiting[..<length])
        waiting.removeFirst(length)
        return try DBusMessage(bytes[...])
    }

    private func write(_ bytes: [UInt8]) throws(RuntimeError) {
        try step("systemd") { () throws(SystemError) in
            var rest = bytes[...]
            while !rest.isEmpty { rest = rest.dropFirst(try socket.send(Array(rest))) }
        }
    }

    private func read() throws(RuntimeError) {
        let left = deadline - DBusConnection.now()
        try step("systemd") { () throws(SystemError) in
            let ready = try check(sys_poll(socket.descriptor.raw, Int16(POLLIN), Int32(clamping: max(left, 0))), "poll")
            if ready == 0 { throw SystemError("wait for an answer", errno: .timedOut) }
            let message = try socket.receive(limit: 64 << 10)
            if message.bytes.isEmpty { throw SystemError("receive", errno: .connectionReset) }
            waiting += message.bytes
        }
    }

    private static func now() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }
}
