import Glibc

/// Moments as text: RFC 3339 with nanoseconds, and what `--since` takes.
enum Timestamp {
    /// What Go prints for a time that was never set.
    static let zero = "0001-01-01T00:00:00Z"

    /// Nanoseconds since 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// In the machine's time zone, without trailing zeros in the fraction: `2026-05-01T12:00:00.25+02:00`.
    static func text(nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var fraction = nanoseconds % 1_000_000_000
        if fraction < 0 {
            fraction += 1_000_000_000
            seconds -= 1
        }
        var local = tm()
        localtime_r(&seconds, &local)
        var text = padded(Int(local.tm_year) + 1900, 4) + "-" + padded(Int(local.tm_mon) + 1, 2)
        text += "-" + padded(Int(local.tm_mday), 2) + "T" + padded(Int(local.tm_hour), 2)
        text += ":" + padded(Int(local.tm_min), 2) + ":" + padded(Int(local.tm_sec), 2)
        if fraction > 0 {
            var digits = padded(Int(fraction), 9)
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        let offset = Int(local.tm_gmtoff)
        if offset == 0 { return text + "Z" }
        let minutes = abs(offset) / 60
        return text + (offset < 0 ? "-" : "+") + padded(minutes / 60, 2) + ":" + padded(minutes % 60, 2)
    }

    /// As Go prints a time to people: `2026-05-01 12:00:00.25 +0200 CEST`.
    static func words(nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var local = tm()
        localtime_r(&seconds, &local)
        let text = text(nanoseconds: nanoseconds)
        let zone = local.tm_zone.map { String(cString: $0) } ?? "UTC"
        let offset = abs(Int(local.tm_gmtoff)) / 60
        let clock = text.prefix { $0 != "Z" && $0 != "+" }.split(separator: "T")
        let time = clock.count > 1 ? clock[1].prefix { $0 != "-" } : ""
        let sign = local.tm_gmtoff < 0 ? "-" : "+"
        return "\(clock.first ?? "") \(time) \(sign)\(padded(offset / 60, 2))\(padded(offset % 60, 2)) \(zone)"
    }

    /// Reads `2016-10-06T00:17:09.669794202Z`, with any offset, or none for the machine's time zone; the parts after the
    /// day may be missing. Nanoseconds since 1970.
    static func parse(_ text: some StringProtocol) -> Int64? {
        var rest = Array(text.utf8)[...]
        func number(_ digits: Int) -> Int? {
            guard rest.count >= digits, rest.prefix(digits).allSatisfy({ (48...57).contains($0) }) else { return nil }
            defer { rest = rest.dropFirst(digits) }
            return rest.prefix(digits).reduce(0) { $0 * 10 + Int($1 - 48) }
        }
        func skip(_ character: Character) -> Bool {
            guard rest.first == character.asciiValue else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var clock = (0, 0, 0)
        var nanoseconds: Int64 = 0
        if skip("T") || skip(" ") {
            guard let hour = number(2), skip(":"), let minute = number(2), hour < 24, minute < 60 else { return nil }
            clock = (hour, minute, 0)
            if skip(":") {
                guard let second = number(2), second <= 60 else { return nil }
                clock.2 = second
                if skip(".") {
                    let digits = rest.prefix { (48...57).contains($0) }
                    guard (1...9).contains(digits.count) else { return nil }
                    for index in 0..<9 {
                        let digit = index < digits.count ? Int64(digits[digits.startIndex + index] - 48) : 0
                        nanoseconds = nanoseconds * 10 + digit
                    }
                    rest = rest.dropFirst(digits.count)
                }
            }
        }
        var parts = tm()
        parts.tm_year = Int32(year - 1900)
        parts.tm_mon = Int32(month - 1)
        parts.tm_mday = Int32(day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(clock.0), Int32(clock.1), Int32(clock.2))
        parts.tm_isdst = -1
        let seconds: Int
        if rest.isEmpty {
            seconds = mktime(&parts)
        } else if skip("Z") {
            seconds = timegm(&parts)
        } else {
            let east = rest.first == 43
            guard skip("+") || skip("-"), let hours = number(2), skip(":"), let minutes = number(2) else { return nil }
            seconds = timegm(&parts) - (east ? 1 : -1) * (hours * 3600 + minutes * 60)
        }
        guard rest.isEmpty else { return nil }
        let (whole, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : whole + nanoseconds
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
