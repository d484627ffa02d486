import Glibc

extension JSONReader {
    /// Reads a string.
    public mutating func readString() throws(JSONError) -> String {
        guard next() == UInt8(ascii: "\"") else { throw mismatch("a string") }
        let start = position + 1
        if try scanString() {
            let decoded = try decodeEscapes(from: start, to: position - 1)
            guard let text = decoded.withUnsafeBufferPointer({ JSONReader.text($0) }) else {
                throw failure("the string is not UTF-8", at: start)
            }
            return text
        }
        guard let text = JSONReader.text(UnsafeBufferPointer(start: base + start, count: position - 1 - start)) else {
            throw failure("the string is not UTF-8", at: start)
        }
        return text
    }

    /// Nil when it isn't UTF-8.
    private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        // Nearly always. The general way asks Swift's runtime for its generic types each time.
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Goes from a string's opening quote to behind its closing one.
    ///
    /// - Returns: whether the string holds escapes.
    mutating func scanString() throws(JSONError) -> Bool {
        let start = position
        var here = position + 1
        var escaped = false
        while true {
            // Eight bytes at a time while none of them is a quote, a backslash or a control character.
            while here + 8 <= count {
                let word = UnsafeRawPointer(base + here).loadUnaligned(as: UInt64.self)
                let quote = word ^ 0x2222_2222_2222_2222
                let slash = word ^ 0x5C5C_5C5C_5C5C_5C5C
                let special =
                    ((quote &- 0x0101_0101_0101_0101) & ~quote)
                    | ((slash &- 0x0101_0101_0101_0101) & ~slash)
                    | ((word &- 0x2020_2020_2020_2020) & ~word)
                if special & 0x8080_8080_8080_8080 != 0 { break }
                here += 8
            }
            guard here < count else { throw failure("the string has no end", at: start) }
            let byte = base[here]
            if byte == UInt8(ascii: "\"") {
                position = here + 1
                return escaped
            }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                here += 2
            } else if byte < 0x20 {
                throw failure("a control character stands in a string; it must be escaped", at: here)
            } else {
                here += 1
            }
        }
    }

    /// The bytes of a string that holds escapes.
    func decodeEscapes(from start: Int, to end: Int) throws(JSONError) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(end - start)
        var here = start
        while here < end {
            let byte = base[here]
            here += 1
            guard byte == UInt8(ascii: "\\") else {
                decoded.append(byte)
                continue
            }
            guard here < end else { throw failure("a lone '\\' ends the string", at: here) }
            let escape = base[here]
            here += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(escape)
            case UInt8(ascii: "b"): decoded.append(0x08)
            case UInt8(ascii: "f"): decoded.append(0x0C)
            case UInt8(ascii: "n"): decoded.append(0x0A)
            case UInt8(ascii: "r"): decoded.append(0x0D)
            case UInt8(ascii: "t"): decoded.append(0x09)
            case UInt8(ascii: "u"):
                let scalar = try decodeScalar(at: &here, end: end)
                decoded.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: throw failure("there is no such escape", at: here - 2)
            }
        }
        return decoded
    }

    /// The character of `\uXXXX` or of a pair of them, `here` standing behind the `u`.
    private func decodeScalar(at here: inout Int, end: Int) throws(JSONError) -> UnicodeScalar {
        let place = here - 2
        let first = try hexQuad(at: &here, end: end)
        if let scalar = UnicodeScalar(first) { return scalar }
        guard first < 0xDC00, here + 1 < end, base[here] == UInt8(ascii: "\\"), base[here + 1] == UInt8(ascii: "u")
        else {
            throw failure("an unpaired surrogate is no character", at: place)
        }
        here += 2
        let second = try hexQuad(at: &here, end: end)
        guard second >= 0xDC00, second < 0xE000,
            let scalar = UnicodeScalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw failure("an unpaired surrogate is no character", at: place) }
        return scalar
    }

    private func hexQuad(at here: inout Int, end: Int) throws(JSONError) -> UInt32 {
        guard here + 4 <= end else { throw failure("\\u needs four hexadecimal digits", at: here) }
        var value: UInt32 = 0
        for index in here..<(here + 4) {
            let digit: UInt8
            switch base[index] {
            case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
                digit = byte - UInt8(ascii: "a") + 10
            case let byte where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"):
                digit = byte - UInt8(ascii: "A") + 10
            default: throw failure("\\u needs four hexadecimal digits", at: index)
            }
            value = value << 4 | UInt32(digit)
        }
        here += 4
        return value
    }
}
