/// One line of a CRI log: `2016-10-06T00:17:09.669794202Z stdout F text`.
struct LogLine {
    /// As it stands there.
    var timestamp: Substring.UTF8View
    var isError: Bool
    /// What the container wrote, with the end of line unless the runtime split a longer line here (tag P).
    var content: ArraySlice<UInt8>

    /// - Parameter line: with its end of line.
    /// - Returns: nil when it isn't in that format.
    init?(_ line: ArraySlice<UInt8>) {
        guard let first = line.firstIndex(of: 32), let second = line[(first + 1)...].firstIndex(of: 32),
            let third = line[(second + 1)...].firstIndex(of: 32)
        else { return nil }
        switch line[(first + 1)..<second] {
        case let stream where stream.elementsEqual("stdout".utf8): isError = false
        case let stream where stream.elementsEqual("stderr".utf8): isError = true
        default: return nil
        }
        let stamp = Substring(decoding: line[..<first], as: UTF8.self)
        guard stamp.utf8.count >= 20, stamp.utf8.first.map({ (48...57).contains($0) }) == true else { return nil }
        timestamp = stamp.utf8
        let tags = line[(second + 1)..<third]
        content = line[(third + 1)...]
        // Further tags may follow one day, behind a colon.
        if tags.prefix(while: { $0 != 58 }).elementsEqual([80]), content.last == 10 { content = content.dropLast() }
    }

    /// The moment, in nanoseconds since 1970; nil when it can't be read.
    var nanoseconds: Int64? { Timestamp.parse(Substring(timestamp)) }

    /// The timestamp with nine digits behind the point, as it is shown.
    var shownTimestamp: [UInt8] {
        var text = Array(timestamp)
        let dot = text.firstIndex(of: 46)
        let end = (dot.map { $0 + 1 } ?? 19)
        var zone = end
        while dot != nil, zone < text.count, (48...57).contains(text[zone]) { zone += 1 }
        let missing = 9 - (zone - end)
        let zeros = [UInt8](repeating: 48, count: max(0, missing))
        text.insert(contentsOf: (dot == nil ? [46] : []) + zeros, at: dot == nil ? min(19, text.count) : zone)
        return text
    }
}
