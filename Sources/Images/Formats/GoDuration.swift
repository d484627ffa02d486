/// A duration as Go programs write it: `500ms`, `3s`, `1m30s`.
func goDuration(_ text: String) -> Duration? {
    let units: [(name: [UInt8], nanoseconds: Int64)] = [
        (Array("ns".utf8), 1), (Array("us".utf8), 1000), (Array("ms".utf8), 1_000_000),
        (Array("s".utf8), 1_000_000_000), (Array("m".utf8), 60_000_000_000), (Array("h".utf8), 3_600_000_000_000),
    ]
    var rest = Array(text.utf8)[...]
    var total: Int64 = 0
    guard !rest.isEmpty, rest.count <= 64 else { return nil }
    if rest.elementsEqual([0x30]) { return .zero }
    while !rest.isEmpty {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        let name = rest.dropFirst(digits.count).prefix { !(0x30...0x39).contains($0) }
        guard let number = Int64(String(decoding: digits, as: UTF8.self)),
            let unit = units.first(where: { $0.name.elementsEqual(name) })
        else { return nil }
        let (part, tooLong) = number.multipliedReportingOverflow(by: unit.nanoseconds)
        let (sum, overflow) = total.addingReportingOverflow(part)
        guard !tooLong, !overflow else { return nil }
        total = sum
        rest = rest.dropFirst(digits.count + name.count)
    }
    return .nanoseconds(total)
}
