/// One way in which a server wants to be shown who asks (RFC 9110, 11.6.1; RFC 6750 for Bearer).
struct Challenge: Equatable, Sendable {
    /// Lowercase: `basic`, `bearer`.
    var scheme: String
    /// Names in lowercase.
    var parameters: [String: String]

    private static let limit = 16

    /// Reads a `WWW-Authenticate` field, which may hold several; what can't be read ends the list.
    static func read(_ field: String) -> [Challenge] {
        guard field.utf8.count <= 8192 else { return [] }
        var reader = ChallengeReader(bytes: Array(field.utf8))
        var challenges: [Challenge] = []
        while challenges.count < limit, let challenge = reader.next() { challenges.append(challenge) }
        return challenges
    }
}

private struct ChallengeReader {
    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func next() -> Challenge? {
        skip([0x20, 0x09, 0x2c])
        guard let scheme = token() else { return nil }
        var challenge = Challenge(scheme: scheme.lowercased(), parameters: [:])
        while challenge.parameters.count < 16 {
            let before = index
            skip([0x20, 0x09, 0x2c])
            guard let name = token() else { break }
            skip([0x20, 0x09])
            guard peek == 0x3d else {
                // No parameter: the next challenge's scheme.
                index = before
                break
            }
            index += 1
            skip([0x20, 0x09])
            guard let value = peek == 0x22 ? quoted() : token() else { break }
            challenge.parameters[name.lowercased()] = value
        }
        return challenge
    }

    private mutating func skip(_ wanted: [UInt8]) {
        while let byte = peek, wanted.contains(byte) { index += 1 }
    }

    private mutating func token() -> String? {
        let start = index
        while let byte = peek, byte > 0x20, byte < 0x7f, !"()<>@,;\\\"[]?={}".utf8.contains(byte) { index += 1 }
        return index > start ? String(decoding: bytes[start..<index], as: UTF8.self) : nil
    }

    private mutating func quoted() -> String? {
        index += 1
        var text: [UInt8] = []
        while let byte = peek {
            index += 1
            if byte == 0x22 { return String(decoding: text, as: UTF8.self) }
            if byte == 0x5c, let escaped = peek {
                index += 1
                text.append(escaped)
            } else {
                text.append(byte)
            }
        }
        return nil
    }
}
