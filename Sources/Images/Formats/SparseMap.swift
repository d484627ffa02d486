/// The map of a sparse file's data, in the ways that GNU tar writes it in extended headers (GNU tar's manual, "Storing
/// Sparse Files": formats 0.0, 0.1 and 1.0).
struct SparseMap {
    /// More stretches than this in one file are an attack on memory.
    static let limit = 1_000_000
    static let tooMany = ImportFailure.refused(entry: nil, reason: "more than \(limit) stretches in a sparse file")

    /// The file's own name; the entry's is a placeholder.
    var name: [UInt8]?
    var extents: [TarEntry.Extent] = []
    var realSize: UInt64 = 0
    /// Format 1.0: the map is at the front of the entry's data.
    var isInData = false

    /// nil when the headers don't speak of a sparse file.
    init?(_ headers: PaxRecords) throws(ImportFailure) {
        let major = try headers.number("GNU.sparse.major")
        let map = headers.value("GNU.sparse.map")
        let size = try headers.number("GNU.sparse.size")
        guard major != nil || map != nil || size != nil else { return nil }
        name = headers.value("GNU.sparse.name")
        guard let real = try headers.number("GNU.sparse.realsize", or: size) else {
            throw PaxRecords.bad("a sparse file without its size")
        }
        realSize = try TarHeader.length(real, "real size")
        if let major, major >= 1 {
            guard major == 1, try headers.number("GNU.sparse.minor", or: 0) == 0 else {
                throw PaxRecords.bad("sparse format \(major) is not known")
            }
            isInData = true
        } else if let map {
            try append(map.split(separator: 0x2c, omittingEmptySubsequences: false).map { Array($0) })
        } else {
            var numbers: [[UInt8]] = []
            for record in headers.records where record.key == "GNU.sparse.offset" || record.key == "GNU.sparse.numbytes"
            {
                let isOffset = record.key == "GNU.sparse.offset"
                guard isOffset == numbers.count.isMultiple(of: 2) else {
                    throw PaxRecords.bad("the map of holes is out of order")
                }
                numbers.append(record.value)
            }
            try append(numbers)
        }
    }

    private mutating func append(_ numbers: [[UInt8]]) throws(ImportFailure) {
        guard numbers.count.isMultiple(of: 2) else { throw PaxRecords.bad("the map of holes is cut off") }
        guard numbers.count / 2 <= Self.limit else { throw Self.tooMany }
        for index in stride(from: 0, to: numbers.count, by: 2) {
            extents.append(
                TarEntry.Extent(offset: try Self.number(numbers[index]), length: try Self.number(numbers[index + 1])))
        }
    }

    /// Reads format 1.0's map: decimal lines, the first the count, padded to whole blocks.
    static func readPrefix(block: () throws(ImportFailure) -> [UInt8]) throws(ImportFailure) -> [TarEntry.Extent] {
        var pending: ArraySlice<UInt8> = []
        func line() throws(ImportFailure) -> UInt64 {
            while true {
                if let end = pending.firstIndex(of: 0x0a) {
                    let digits = Array(pending[..<end])
                    pending = pending[(end + 1)...]
                    return try number(digits)
                }
                guard pending.count < 32 else { throw PaxRecords.bad("the map of holes is no list of numbers") }
                pending += try block()
            }
        }
        let count = try line()
        guard count <= UInt64(limit) else { throw tooMany }
        var extents: [TarEntry.Extent] = []
        for _ in 0..<count {
            let offset = try line()
            extents.append(TarEntry.Extent(offset: offset, length: try line()))
        }
        return extents
    }

    private static func number(_ digits: [UInt8]) throws(ImportFailure) -> UInt64 {
        guard let value = Int64(String(decoding: digits, as: UTF8.self)) else {
            throw PaxRecords.bad("the map of holes is no list of numbers")
        }
        return try TarHeader.length(value, "sparse offset")
    }

    /// The extents in order, within the file, and with as many bytes as the archive has.
    static func checked(
        _ extents: [TarEntry.Extent], dataBytes: UInt64, realSize: UInt64
    ) throws(ImportFailure) -> [TarEntry.Extent] {
        var end: UInt64 = 0
        var data: UInt64 = 0
        for extent in extents {
            let (last, overflow) = extent.offset.addingReportingOverflow(extent.length)
            guard !overflow, extent.offset >= end, last <= realSize else {
                throw .refused(entry: nil, reason: "the map of a sparse file's data is wrong")
            }
            end = last
            data += extent.length
        }
        guard data == dataBytes else {
            throw .refused(entry: nil, reason: "the map of a sparse file's data is wrong")
        }
        return extents.filter { $0.length > 0 }
    }
}
