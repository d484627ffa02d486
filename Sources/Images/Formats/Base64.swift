/// Base64 of RFC 4648, padded, in one line: what credentials are written in.
enum Base64 {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let piece = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for offset in 0..<3 { bits = bits << 8 | UInt32(offset < piece.count ? piece[start + offset] : 0) }
            for place in 0..<4 {
                output.append(place <= piece.count ? letters[Int(bits >> UInt32(18 - 6 * place)) & 63] : 0x3d)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// nil for what is no Base64; missing padding is forgiven, as docker does.
    static func decode(_ text: String) -> [UInt8]? {
        var output: [UInt8] = []
        var (bits, count): (UInt32, UInt32) = (0, 0)
        var rest = text.utf8[...]
        while rest.last == 0x3d || rest.last == 0x0a || rest.last == 0x0d { rest.removeLast() }
        for byte in rest {
            let value: UInt8
            switch byte {
            case 65...90: value = byte - 65
            case 97...122: value = byte - 71
            case 48...57: value = byte + 4
            case 0x2b: value = 62
            case 0x2f: value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return count < 6 ? output : nil
    }
}
