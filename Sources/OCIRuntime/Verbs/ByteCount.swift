import Glibc

/// Amounts of memory as people write them.
enum ByteCount {
    /// "-1" is no limit; else a number with an optional fraction and unit: "512m", "1.5GiB", "64 kb". Units are powers of 1024.
    static func parse(_ text: String) -> Int64? {
        if text == "-1" { return -1 }
        var body = Substring(text.lowercased())
        if body.hasSuffix("ib") { body = body.dropLast(2) } else if body.hasSuffix("b") { body = body.dropLast() }
        var factor = 1.0
        if let unit = body.last, let power = ["k", "m", "g", "t", "p"].firstIndex(of: String(unit)) {
            factor = pow(1024, Double(power + 1))
            body = body.dropLast()
        }
        if body.last == " " { body = body.dropLast() }
        if let whole = Int64(body), whole >= 0 {
            let (product, overflow) = whole.multipliedReportingOverflow(by: Int64(factor))
            return overflow ? nil : product
        }
        guard body.first?.isNumber == true, let number = Double(body), number.isFinite, number >= 0 else { return nil }
        return Int64(exactly: (number * factor).rounded(.down))
    }
}
