/// IP addresses as Kubernetes takes them: no leading zeros, no zone.
enum IPAddress {
    static let rule = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

    static func isValid(_ text: String) -> Bool { isIPv4(text[...]) || isIPv6(text) }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count),
                    part.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
                    part.count == 1 || part.first != UInt8(ascii: "0"), let value = Int(Substring(part))
                else { return false }
                return value <= 255
            }
    }

    private static func isIPv6(_ text: String) -> Bool {
        guard text.utf8.count <= 45, text.contains(":") else { return false }
        var groups = 0
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return false }
        for (half, part) in halves.enumerated() {
            if part.isEmpty {
                if halves.count == 1 { return false }
                continue
            }
            let words = part.split(separator: ":", omittingEmptySubsequences: false)
            for (index, word) in words.enumerated() {
                if word.contains(".") {
                    guard half == halves.count - 1, index == words.count - 1, isIPv4(word) else { return false }
                    groups += 2
                } else {
                    guard (1...4).contains(word.utf8.count), word.utf8.allSatisfy(isHexDigit) else { return false }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
