/// Durations in Go's writing, as Kubernetes' configuration files have them: `300ms`, `1h30m`, `-1.5h`.
public enum GoDuration {
    /// The duration; nil when the text is none, or more than 292 years.
    public static func parse(_ text: String) -> Duration? {
        var rest = text.utf8[...]
        var negative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        if rest.elementsEqual("0".utf8) { return .zero }
        guard !rest.isEmpty, rest.count <= 128 else { return nil }
        var total: Int128 = 0
        while !rest.isEmpty {
            guard let nanoseconds = part(&rest) else { return nil }
            total += nanoseconds
            if total > Int128(Int64.max) { return nil }
        }
        return .nanoseconds(Int64(negative ? -total : total))
    }

    /// In Go's canonical form: `1h30m0s`, `1.5s`, `300ms`, `0s`.
    public static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
        let sign = nanoseconds < 0 ? "-" : ""
        let amount = nanoseconds.magnitude
        if amount == 0 { return "0s" }
        if amount < 1_000 { return "\(sign)\(amount)ns" }
        if amount < 1_000_000 { return sign + decimal(amount, 1_000) + "µs" }
        if amount < 1_000_000_000 { return sign + decimal(amount, 1_000_000) + "ms" }
        let minutes = amount / 60_000_000_000
        let rest = decimal(amount % 60_000_000_000, 1_000_000_000) + "s"
        if minutes == 0 { return sign + rest }
        return minutes < 60 ? "\(sign)\(minutes)m\(rest)" : "\(sign)\(minutes / 60)h\(minutes % 60)m\(rest)"
    }

    /// One number with its unit, in nanoseconds.
    private static func part(_ rest: inout Substring.UTF8View) -> Int128? {
        func digits() -> Substring.UTF8View {
            let run = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            rest = rest.dropFirst(run.count)
            return run
        }
        let whole = digits()
        var fraction = Substring().utf8
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = digits()
        }
        guard !whole.isEmpty || !fraction.isEmpty, whole.count <= 19 else { return nil }
        let name = rest.prefix { $0 != UInt8(ascii: ".") && !($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) }
        rest = rest.dropFirst(name.count)
        guard let unit = units[String(Substring(name))] else { return nil }
        var nanoseconds = (Int128(String(Substring(whole))) ?? 0) * unit
        var scale = unit
        for digit in fraction.prefix(18) {
            scale /= 10
            nanoseconds += Int128(digit - UInt8(ascii: "0")) * scale
        }
        return nanoseconds
    }

    private static let units: [String: Int128] = [
        "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    private static func decimal(_ amount: UInt128, _ unit: UInt128) -> String {
        let rest = amount % unit
        guard rest != 0 else { return "\(amount / unit)" }
        let width = "\(unit)".utf8.count - 1
        var digits = "\(rest)"
        digits = String(repeating: "0", count: width - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(amount / unit).\(digits)"
    }
}
