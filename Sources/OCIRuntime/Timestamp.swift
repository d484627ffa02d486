import CLinux
import Glibc

/// RFC 3339 in UTC.
enum Timestamp {
    /// "2026-01-02T03:04:05.123456789Z".
    static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        var text = padded(Int(parts.tm_year) + 1900, 4)
        text += "-" + padded(Int(parts.tm_mon) + 1, 2) + "-" + padded(Int(parts.tm_mday), 2)
        text += "T" + padded(Int(parts.tm_hour), 2) + ":" + padded(Int(parts.tm_min), 2)
        text += ":" + padded(Int(parts.tm_sec), 2) + "." + padded(time.tv_nsec, 9) + "Z"
        return text
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
