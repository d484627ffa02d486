/// Refuses a YAML text whose aliases could multiply before a tree is made of it ("billion laughs").
///
/// Following an alias in a value costs nothing until the tree is walked, and that walk is counted. But the YAML library
/// compares a mapping's keys, and a key that is an alias, or holds one, is followed then. A text of `n` aliases grows
/// at most `3^(n/3)`-fold, so few aliases are harmless anywhere; with more, none may stand where a key could.
enum AliasGuard {
    /// The line, from 1, of the first alias that is refused; nil when all is well.
    static func suspiciousLine(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        var aliases: [Int] = []
        var anchors: Set<ArraySlice<UInt8>> = []
        var suspicious: Int?
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "&"):
                let name = word(bytes, after: index)
                if !name.isEmpty { anchors.insert(name) }
            case UInt8(ascii: "*"):
                let name = word(bytes, after: index)
                guard !name.isEmpty, anchors.contains(name) else { continue }
                aliases.append(index)
                if suspicious == nil, !isValue(bytes, index, name.endIndex) { suspicious = index }
            case UInt8(ascii: "?"):
                if suspicious == nil, index == 0 || indicators.contains(bytes[index - 1]) { suspicious = index }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if suspicious == nil, next(bytes, index + 1) == UInt8(ascii: ":") { suspicious = index }
            default: continue
            }
        }
        guard let suspicious, !isHarmless(aliases.count, size: bytes.count) else { return nil }
        return 1 + bytes[..<suspicious].count { $0 == UInt8(ascii: "\n") }
    }

    /// Whether the text can't grow beyond some millions of values even if every alias were followed.
    private static func isHarmless(_ aliases: Int, size: Int) -> Bool {
        var grown = Double(max(size, 1))
        for _ in 0..<min(aliases, 100) {
            grown *= 1.4423  // the cube root of three
            if grown > 20_000_000 { return false }
        }
        return true
    }

    /// Whether an alias stands as `key: *name` or `- *name` and is no key itself.
    private static func isValue(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Bool {
        var before = start - 1
        while before >= 0, white.contains(bytes[before]) { before -= 1 }
        guard before >= 0, bytes[before] == UInt8(ascii: ":") || bytes[before] == UInt8(ascii: "-") else {
            return false
        }
        return next(bytes, end) != UInt8(ascii: ":")
    }

    private static func next(_ bytes: [UInt8], _ start: Int) -> UInt8? {
        bytes[start...].first { !white.contains($0) }
    }

    private static func word(_ bytes: [UInt8], after index: Int) -> ArraySlice<UInt8> {
        let rest = bytes[(index + 1)...]
        return rest.prefix {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    private static let white = Set(" \t\r\n".utf8)
    private static let indicators = Set(" \t\r\n[{,-?:".utf8)
}
