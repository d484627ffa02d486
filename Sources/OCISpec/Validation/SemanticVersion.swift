/// Versions by semver.org 2.0.0: `1.3.0`, `1.0.2-dev`.
enum SemanticVersion {
    /// The first number; nil if the text is no version.
    static func major(_ text: String) -> Int? {
        let core = text.prefix { $0 != "-" && $0 != "+" }
        let numbers = core.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers.allSatisfy(isNumber) else { return nil }
        let rest = text.dropFirst(core.count)
        let parts = rest.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if rest.first == "-", !isIdentifiers(parts[0].dropFirst()) { return nil }
        if parts.count == 2, !isIdentifiers(parts[1]) { return nil }
        return Int(numbers[0])
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
            && (text.utf8.count == 1 || text.first != "0")
    }

    private static func isIdentifiers(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
                        || byte == UInt8(ascii: "-")
                }
        }
    }
}
