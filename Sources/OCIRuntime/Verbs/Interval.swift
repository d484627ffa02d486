/// A length of time as Go writes it.
enum Interval {
    /// Nanoseconds of "5s", "500ms", "1m30s", "1.5h"; nil for anything else, for 0 and below it.
    static func parse(_ text: String) -> UInt64? {
        let units: [(String, Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
        ]
        var rest = Substring(text)
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isNumber || $0 == ".") }
            guard let factor = units.first(where: { $0.0 == unit })?.1 else { return nil }
            rest = rest.dropFirst(unit.count)
            total += number * factor
        }
        guard total >= 1, total < 9e18 else { return nil }
        return UInt64(total)
    }
}
