/// One message of D-Bus (D-Bus specification, "Message Format").
struct DBusMessage: Hashable, Sendable {
    enum Kind: UInt8, Sendable {
        case call = 1
        case answer = 2
        case error = 3
        case signal = 4
    }

    var kind: Kind
    var serial: UInt32 = 0
    /// Of the call that this answers.
    var replySerial: UInt32?
    var path: String?
    var interface: String?
    var member: String?
    var errorName: String?
    var destination: String?
    var body: [DBusValue] = []

    /// The greatest message that is taken: far more than systemd ever says.
    static let longest = 1 << 20

    func encoded() -> [UInt8] {
        var content = DBusWriter()
        for value in body { content.value(value) }
        var fields: [DBusValue] = []
        func field(_ code: UInt8, _ value: DBusValue?) {
            if let value { fields.append(.structure([.byte(code), .variant(value)])) }
        }
        field(1, path.map { .objectPath($0) })
        field(2, interface.map { .string($0) })
        field(3, member.map { .string($0) })
        field(4, errorName.map { .string($0) })
        field(5, replySerial.map { .uint32($0) })
        field(6, destination.map { .string($0) })
        if !body.isEmpty { field(8, .signature(body.map(\.signature).joined())) }
        var writer = DBusWriter()
        for byte in [UInt8(ascii: "l"), kind.rawValue, 0, 1] { writer.value(.byte(byte)) }
        writer.integer(UInt32(content.bytes.count))
        writer.integer(serial)
        writer.value(.array("(yv)", fields))
        writer.align(8)
        return writer.bytes + content.bytes
    }

    /// How long the message is whose first 16 bytes these are.
    static func length(_ head: ArraySlice<UInt8>) throws(RuntimeError) -> Int {
        guard head.count >= 16, let order = head.first, order == UInt8(ascii: "l") || order == UInt8(ascii: "B") else {
            throw RuntimeError("systemd: what came is no D-Bus message")
        }
        var reader = DBusReader(head.dropFirst(4), bigEndian: order == UInt8(ascii: "B"))
        let body = Int(try reader.integer(UInt32.self))
        _ = try reader.integer(UInt32.self)
        let fields = Int(try reader.integer(UInt32.self))
        let length = (16 + fields + 7) / 8 * 8 + body
        if length > longest { throw RuntimeError("systemd: a D-Bus message of \(length) bytes is too long") }
        return length
    }

    init(kind: Kind) { self.kind = kind }

    /// Reads one whole message.
    init(_ bytes: ArraySlice<UInt8>) throws(RuntimeError) {
        let start = bytes.startIndex
        let bigEndian = bytes.first == UInt8(ascii: "B")
        guard bytes.count >= 16, let kind = Kind(rawValue: bytes[start + 1]) else {
            throw RuntimeError("systemd: what came is no D-Bus message")
        }
        self.kind = kind
        var reader = DBusReader(bytes, bigEndian: bigEndian)
        let head = try reader.values("yyyyuu")
        if case .uint32(let serial) = head[5] { self.serial = serial }
        var signature = ""
        if case .array(_, let fields)? = try reader.values("a(yv)").first {
            for field in fields {
                guard case .structure(let parts) = field, parts.count == 2, case .byte(let code) = parts[0],
                    case .variant(let value) = parts[1]
                else { continue }
                switch (code, value) {
                case (1, _): path = value.text
                case (2, _): interface = value.text
                case (3, _): member = value.text
                case (4, _): errorName = value.text
                case (5, .uint32(let serial)): replySerial = serial
                case (6, _): destination = value.text
                case (8, .signature(let text)): signature = text
                default: break
                }
            }
        }
        try reader.align(8)
        body = try reader.values(signature)
    }
}
