/// Writes times as the CRI log has them: `2016-10-06T00:17:09.669794202Z`, always 30 bytes. The part down to the second is
/// made once a second.
struct LogTimestamp {
    static let length = 30

    private var second: Int64 = .min
    private var text = [UInt8](repeating: UInt8(ascii: "0"), count: LogTimestamp.length)

    init() {
        for (index, byte) in zip([4, 7, 10, 13, 16, 19, 29], "--T::.Z".utf8) { text[index] = byte }
    }

    /// The text of a wall clock time in nanoseconds since the epoch.
    mutating func format(_ nanoseconds: Int64) -> [UInt8] {
        var whole = nanoseconds / 1_000_000_000
        var rest = nanoseconds % 1_000_000_000
        if rest < 0 {
            whole -= 1
            rest += 1_000_000_000
        }
        if whole != second { setSecond(whole) }
        put(Int(rest), digits: 9, at: 20)
        return text
    }

    private mutating func setSecond(_ whole: Int64) {
        second = whole
        var days = Int(whole / 86_400)
        var left = Int(whole % 86_400)
        if left < 0 {
            days -= 1
            left += 86_400
        }
        let date = Self.civil(days: days)
        put(date.year, digits: 4, at: 0)
        put(date.month, digits: 2, at: 5)
        put(date.day, digits: 2, at: 8)
        put(left / 3600, digits: 2, at: 11)
        put(left / 60 % 60, digits: 2, at: 14)
        put(left % 60, digits: 2, at: 17)
    }

    private mutating func put(_ value: Int, digits: Int, at start: Int) {
        var rest = value
        var index = start + digits - 1
        while index >= start {
            text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            index -= 1
        }
    }

    /// The proleptic Gregorian date of a day counted from 1970-01-01, by eras of 400 years that begin on the first of March.
    static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
