/// A ttrpc message with its header (ttrpc's PROTOCOL.md, Message Frame).
package struct Frame: Sendable, Hashable {
    package enum Kind: UInt8, Sendable {
        case request = 1
        case response = 2
        case data = 3
    }

    /// Of the header: length and stream as 32 bits, kind and flags as one byte each, the highest first.
    package static let headerBytes = 10
    /// What a message may hold at most.
    package static let mostBytes = 4 << 20

    package var stream: UInt32
    package var kind: UInt8
    package var flags: UInt8 = 0
    package var payload: [UInt8]

    package init(stream: UInt32, kind: Kind, payload: [UInt8]) {
        self.stream = stream
        self.kind = kind.rawValue
        self.payload = payload
    }

    package var encoded: [UInt8] {
        BigEndian.bytes(UInt32(payload.count)) + BigEndian.bytes(stream) + [kind, flags] + payload
    }

    private init(stream: UInt32, kind: UInt8, flags: UInt8, payload: [UInt8]) {
        (self.stream, self.kind, self.flags, self.payload) = (stream, kind, flags, payload)
    }

    /// Takes the first message off what has come; nil when it isn't all there.
    ///
    /// - Throws: `WireProblem` for one that is longer than allowed.
    static func take(from bytes: inout [UInt8]) throws(WireProblem) -> Frame? {
        guard bytes.count >= headerBytes else { return nil }
        let length = Int(BigEndian.number(bytes[0..<4]))
        guard length <= mostBytes else {
            throw WireProblem("a message of \(length) bytes, more than \(mostBytes)")
        }
        guard bytes.count >= headerBytes + length else { return nil }
        let frame = Frame(
            stream: BigEndian.number(bytes[4..<8]), kind: bytes[8], flags: bytes[9],
            payload: Array(bytes[headerBytes..<headerBytes + length]))
        bytes.removeFirst(headerBytes + length)
        return frame
    }
}

/// What came over the wire makes no sense.
package struct WireProblem: Error, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

enum BigEndian {
    static func bytes(_ number: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
    static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}
