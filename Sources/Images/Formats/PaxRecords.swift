/// An extended header: `length key=value\n` records (POSIX.1-2017 pax, "pax Extended Header").
struct PaxRecords {
    private(set) var records: [(key: String, value: [UInt8])] = []

    init() {}

    init(_ bytes: [UInt8]) throws(ImportFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // GNU and Go pad with nothing, some old tools with zeros.
            if rest.allSatisfy({ $0 == 0 }) { break }
            guard let space = rest.firstIndex(of: 0x20), space - rest.startIndex <= 10,
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space - rest.startIndex + 2, length <= rest.count,
                rest[rest.startIndex + length - 1] == 0x0a
            else { throw Self.bad("a record's length is wrong") }
            let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
            guard let equals = record.firstIndex(of: 0x3d), equals > record.startIndex else {
                throw Self.bad("a record has no key")
            }
            records.append((String(decoding: record[..<equals], as: UTF8.self), Array(record[(equals + 1)...])))
            rest = rest[(rest.startIndex + length)...]
        }
    }

    static func bad(_ reason: String) -> ImportFailure {
        .refused(entry: nil, reason: "a damaged extended header: \(reason)")
    }

    /// The last record of that key counts; an empty value takes it back.
    func value(_ key: String) -> [UInt8]? {
        guard let value = records.last(where: { $0.key == key })?.value, !value.isEmpty else { return nil }
        return value
    }

    func number(_ key: String, or absent: Int64? = nil) throws(ImportFailure) -> Int64? {
        guard let value = value(key) else { return absent }
        guard let number = Int64(String(decoding: value, as: UTF8.self)) else {
            throw Self.bad("\(printable(key.utf8)) is not a number")
        }
        return number
    }

    /// Seconds with a fraction, as pax writes times; the fraction counts upwards also before 1970.
    func time(_ key: String) throws(ImportFailure) -> (seconds: Int64, nanoseconds: Int)? {
        guard let value = value(key) else { return nil }
        let parts = value.split(separator: 0x2e, maxSplits: 1, omittingEmptySubsequences: false)
        let negative = value.first == 0x2d
        guard var seconds = Int64(String(decoding: parts[0], as: UTF8.self)), abs(seconds >> 1) < 1 << 61 else {
            throw Self.bad("\(key) is not a time")
        }
        var nanoseconds = 0
        if parts.count == 2 {
            guard parts[1].allSatisfy({ (0x30...0x39).contains($0) }) else { throw Self.bad("\(key) is not a time") }
            let digits = parts[1].prefix(9)
            for digit in digits { nanoseconds = nanoseconds * 10 + Int(digit - 0x30) }
            for _ in digits.count..<9 { nanoseconds *= 10 }
        }
        if negative && nanoseconds > 0 {
            seconds -= 1
            nanoseconds = 1_000_000_000 - nanoseconds
        }
        return (seconds, nanoseconds)
    }

    /// The attributes that star, GNU tar, docker and libarchive write.
    var attributes: [(name: [UInt8], value: [UInt8])] {
        let prefix = "SCHILY.xattr."
        return records.compactMap { record in
            guard record.key.hasPrefix(prefix) else { return nil }
            return (Array(record.key.utf8.dropFirst(prefix.utf8.count)), record.value)
        }
    }
}
