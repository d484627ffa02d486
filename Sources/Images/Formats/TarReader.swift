/// Reads a tar archive front to back: v7, ustar, pax and GNU, with long names, big numbers, xattrs and sparse files.
///
/// Written here rather than taken from libarchive because names are bytes and must stay the same bytes (libarchive
/// converts them through the locale), and because what reads hostile headers should not be able to overrun a buffer.
final class TarReader {
    private let source: any ByteSource
    private let limits: ImageLimits
    private let entryLimit: Int
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    private var start = 0
    private var end = 0
    /// Bytes of the archive that were consumed.
    private var position: UInt64 = 0
    /// Bytes of the entry's data, and then of its padding, that are still ahead.
    private var dataLeft: UInt64 = 0
    private var padding: UInt64 = 0
    private var entries = 0

    init(_ source: any ByteSource, limits: ImageLimits, entryLimit: Int) {
        self.source = source
        self.limits = limits
        self.entryLimit = entryLimit
    }

    deinit { buffer.deallocate() }

    /// The next entry, or nil at the archive's end. What was not read of the last one is passed over.
    func next() throws(ImportFailure) -> TarEntry? {
        try pass(dataLeft + padding)
        (dataLeft, padding) = (0, 0)
        var extended = PaxRecords()
        var longName: [UInt8]?
        var longLink: [UInt8]?
        var headerBytes = 0
        while true {
            guard let header = try header() else { return nil }
            let flag = header.typeFlag
            guard [0x78, 0x67, 0x4c, 0x4b].contains(flag) else {
                return try entry(header, extended, longName, longLink)
            }
            // x: for the next entry; g: for all that follow (git's and other tools' notes: no image relies on it);
            // L and K: GNU's long name and long link.
            let size = try header.entrySize()
            headerBytes += Int(clamping: size)
            guard headerBytes <= limits.headerBytes else {
                throw .refused(
                    entry: printable(header.name), reason: "extended headers of more than \(limits.headerBytes) bytes")
            }
            let bytes = try take(Int(size))
            switch flag {
            case 0x78: extended = try PaxRecords(bytes)
            case 0x4c: longName = Array(bytes.prefix { $0 != 0 })
            case 0x4b: longLink = Array(bytes.prefix { $0 != 0 })
            default: break
            }
            try pass(Self.padding(size))
        }
    }

    /// The next piece of the entry's data, in the archive's order, valid until the next call; nil when it is over.
    func chunk(atMost: UInt64 = .max) throws(ImportFailure) -> UnsafeRawBufferPointer? {
        guard dataLeft > 0, atMost > 0 else { return nil }
        if start == end { try fill(1) }
        let count = Int(min(dataLeft, atMost, UInt64(end - start)))
        let piece = UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
        start += count
        position += UInt64(count)
        dataLeft -= UInt64(count)
        return piece
    }

    // MARK: Headers

    private func header() throws(ImportFailure) -> TarHeader? {
        guard try fill(TarHeader.size, orEnd: true) else { return nil }
        let block = UnsafeRawBufferPointer(rebasing: buffer[start..<start + TarHeader.size])
        if block.allSatisfy({ $0 == 0 }) { return nil }
        let header = try TarHeader(block)
        start += TarHeader.size
        position += UInt64(TarHeader.size)
        return header
    }

    private func entry(
        _ header: TarHeader, _ extended: PaxRecords, _ longName: [UInt8]?, _ longLink: [UInt8]?
    ) throws(ImportFailure) -> TarEntry {
        entries += 1
        let name = extended.value("path") ?? longName ?? header.name
        guard entries <= entryLimit else {
            throw .refused(entry: printable(name), reason: "more than \(entryLimit) entries")
        }
        do throws(ImportFailure) {
            return try entry(header, extended, name: name, link: extended.value("linkpath") ?? longLink ?? header.link)
        } catch {
            throw error.inside(printable(name))
        }
    }

    private func entry(
        _ header: TarHeader, _ extended: PaxRecords, name: [UInt8], link: [UInt8]
    ) throws(ImportFailure) -> TarEntry {
        var entry = TarEntry(kind: try Self.kind(header.typeFlag, name: name), name: name, link: link)
        entry.mode = try header.mode()
        if let uid = try extended.number("uid") {
            entry.uid = try TarHeader.identity(uid, "uid")
        } else {
            entry.uid = try header.uid()
        }
        if let gid = try extended.number("gid") {
            entry.gid = try TarHeader.identity(gid, "gid")
        } else {
            entry.gid = try header.gid()
        }
        if let time = try extended.time("mtime") {
            (entry.modifiedSeconds, entry.modifiedNanoseconds) = time
        } else {
            entry.modifiedSeconds = try header.modified()
        }
        entry.attributes = extended.attributes
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            (entry.deviceMajor, entry.deviceMinor) = try header.device()
        }
        if entry.kind == .regular {
            // Links, directories and devices have no data, whatever their size says.
            if let size = try extended.number("size") {
                entry.size = try TarHeader.length(size, "size")
            } else {
                entry.size = try header.entrySize()
            }
        }
        entry.fileSize = entry.size
        (dataLeft, padding) = (entry.size, Self.padding(entry.size))
        try readSparseMap(header, extended, &entry)
        entry.dataOffset = position
        return entry
    }

    private static func kind(_ flag: UInt8, name: [UInt8]) throws(ImportFailure) -> TarEntry.Kind {
        switch flag {
        // v7 has no directories, only names that end in a slash; 7 is "contiguous", S is GNU's sparse file.
        case 0, 0x30, 0x37: return name.last == 0x2f ? .directory : .regular
        case 0x53: return .regular
        case 0x31: return .hardLink
        case 0x32: return .symbolicLink
        case 0x33: return .characterDevice
        case 0x34: return .blockDevice
        case 0x35: return .directory
        case 0x36: return .fifo
        default:
            throw .refused(entry: nil, reason: "entries of type \"\(printable([flag]))\" are not known")
        }
    }

    private func readSparseMap(
        _ header: TarHeader, _ extended: PaxRecords, _ entry: inout TarEntry
    ) throws(ImportFailure) {
        guard entry.kind == .regular else { return }
        if header.typeFlag == 0x53 && header.isGNU {
            var (extents, more, realSize) = try header.sparse()
            while more {
                let block = try take(TarHeader.size)
                extents += try TarHeader.extents(in: block[0..<504])
                more = block[504] != 0
                guard extents.count <= SparseMap.limit else { throw SparseMap.tooMany }
            }
            entry.extents = try SparseMap.checked(extents, dataBytes: entry.size, realSize: realSize)
            entry.fileSize = realSize
        } else if let map = try SparseMap(extended) {
            if let name = map.name { entry.name = name }
            var extents = map.extents
            if map.isInData {
                extents = try SparseMap.readPrefix { () throws(ImportFailure) in
                    guard self.dataLeft >= UInt64(TarHeader.size) else {
                        throw PaxRecords.bad("the map of holes is cut off")
                    }
                    self.dataLeft -= UInt64(TarHeader.size)
                    entry.size -= UInt64(TarHeader.size)
                    return try self.take(TarHeader.size)
                }
            }
            entry.extents = try SparseMap.checked(extents, dataBytes: entry.size, realSize: map.realSize)
            entry.fileSize = map.realSize
        }
    }

    private static func padding(_ size: UInt64) -> UInt64 { (512 - size % 512) % 512 }

    // MARK: The buffer

    /// Makes `count` bytes available at `start`. With `orEnd`, false when not one more byte comes.
    @discardableResult
    private func fill(_ count: Int, orEnd: Bool = false) throws(ImportFailure) -> Bool {
        guard end - start < count else { return true }
        if start > 0 {
            let rest = end - start
            if rest > 0, let base = buffer.baseAddress { base.copyMemory(from: base + start, byteCount: rest) }
            (start, end) = (0, rest)
        }
        while end < count {
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
            if got == 0 {
                if end == 0 && orEnd { return false }
                throw .refused(entry: nil, reason: "truncated: the archive ends in the middle of an entry")
            }
            end += got
        }
        return true
    }

    private func take(_ count: Int) throws(ImportFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            if start == end { try fill(1) }
            let piece = min(count - bytes.count, end - start)
            bytes.append(contentsOf: buffer[start..<start + piece])
            start += piece
            position += UInt64(piece)
        }
        return bytes
    }

    private func pass(_ count: UInt64) throws(ImportFailure) {
        let buffered = min(count, UInt64(end - start))
        start += Int(buffered)
        position += count
        let left = count - buffered
        if left > 0, try source.skip(left) != left {
            throw .refused(entry: nil, reason: "truncated: the archive ends in the middle of an entry")
        }
    }
}
