import Glibc

/// Durations and sizes as crictl words them.
enum Human {
    /// "2 minutes ago" for a moment in nanoseconds since 1970.
    static func ago(_ nanoseconds: Int64, now: Int64 = Timestamp.now) -> String {
        duration(seconds: Double(now &- nanoseconds) / 1e9) + " ago"
    }

    /// "Less than a second", "5 seconds", "About a minute", "2 hours", "3 weeks".
    static func duration(seconds: Double) -> String {
        let whole = Int(seconds)
        if whole < 1 { return "Less than a second" }
        if whole == 1 { return "1 second" }
        if whole < 60 { return "\(whole) seconds" }
        let minutes = whole / 60
        if minutes == 1 { return "About a minute" }
        if minutes < 60 { return "\(minutes) minutes" }
        let hours = Int(seconds / 3600 + 0.5)
        let day = 24
        switch hours {
        case ...1: return "About an hour"
        case ..<(2 * day): return "\(hours) hours"
        case ..<(14 * day): return "\(hours / day) days"
        case ..<(60 * day): return "\(hours / day / 7) weeks"
        case ..<(730 * day): return "\(hours / day / 30) months"
        default: return "\(Int(seconds / 3600) / day / 365) years"
        }
    }

    /// "2.24MB": decimal units and a number of significant digits.
    static func size(_ bytes: UInt64, digits: Int = 4) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return format("%.\(digits)g", value) + units[unit]
    }

    /// printf of one double.
    static func format(_ pattern: String, _ value: Double) -> String {
        let room = 64
        let bytes = [CChar](unsafeUninitializedCapacity: room) { buffer, count in
            let length = withVaList([value]) { vsnprintf(buffer.baseAddress, room, pattern, $0) }
            count = max(0, min(Int(length), room - 1))
        }
        return String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The first 13 characters, as tables show ids.
    static func shortID(_ id: String) -> String {
        String((id.hasPrefix("sha256:") ? id.dropFirst("sha256:".count) : id[...]).prefix(13))
    }
}
