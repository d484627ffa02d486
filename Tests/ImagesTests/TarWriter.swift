/// Writes tar archives for the tests, right ones and wrong ones: nothing is checked.
struct TarWriter {
    enum Kind: Character {
        case file = "0"
        case hardLink = "1"
        case symlink = "2"
        case characterDevice = "3"
        case blockDevice = "4"
        case directory = "5"
        case fifo = "6"
        case pax = "x"
        case globalPax = "g"
        case longName = "L"
        case longLink = "K"
        case sparse = "S"
    }

    private(set) var bytes: [UInt8] = []

    /// Adds a header, with extended ones before it as asked, and the data.
    ///
    /// - Parameters:
    ///   - size: what the header says when that is not the data's size
    ///   - pax: records of an extended header before the entry
    mutating func add(
        _ name: String, _ kind: Kind = .file, _ data: [UInt8] = [], mode: Int = 0o644, uid: Int = 0, gid: Int = 0,
        mtime: Int = 1_000_000, link: String = "", device: (Int, Int) = (0, 0), size: Int? = nil,
        pax: [(String, [UInt8])] = []
    ) {
        if !pax.isEmpty { add("pax", .pax, Self.records(pax)) }
        var name = Array(name.utf8)
        if name.count > 100 {
            add("././@LongLink", .longName, name + [0])
            name = Array(name.prefix(100))
        }
        var link = Array(link.utf8)
        if link.count > 100 {
            add("././@LongLink", .longLink, link + [0])
            link = Array(link.prefix(100))
        }
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ offset: Int, _ value: some Collection<UInt8>) {
            header.replaceSubrange(offset..<offset + value.count, with: value)
        }
        func octal(_ value: Int, _ digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8) + [0]
        }
        put(0, name)
        put(100, octal(mode, 7))
        put(108, octal(uid, 7))
        put(116, octal(gid, 7))
        put(124, octal(size ?? data.count, 11))
        put(136, octal(mtime, 11))
        put(156, kind.rawValue.utf8)
        put(157, link)
        put(257, Array("ustar\u{0}00".utf8))
        put(329, octal(device.0, 7))
        put(337, octal(device.1, 7))
        finish(&header)
        bytes += header
        append(data)
    }

    mutating func directory(_ name: String, mode: Int = 0o755, uid: Int = 0, gid: Int = 0, mtime: Int = 1_000_000) {
        add(name + "/", .directory, mode: mode, uid: uid, gid: gid, mtime: mtime)
    }

    mutating func file(_ name: String, _ text: String, mode: Int = 0o644) {
        add(name, .file, Array(text.utf8), mode: mode)
    }

    /// Adds data as it is, padded to whole blocks.
    mutating func append(_ data: [UInt8]) {
        bytes += data
        bytes += [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    /// The archive with its end.
    var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    static func records(_ records: [(String, [UInt8])]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (key, value) in records {
            let rest = [0x20] + Array(key.utf8) + [0x3d] + value + [0x0a]
            var length = rest.count + 1
            while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
            bytes += Array("\(length)".utf8) + rest
        }
        return bytes
    }

    /// Puts the checksum into a header.
    static func finish(_ header: inout [UInt8]) {
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        let text = String(repeating: "0", count: 6 - sum.count) + sum
        header.replaceSubrange(148..<156, with: Array(text.utf8) + [0, 0x20])
    }

    private func finish(_ header: inout [UInt8]) { Self.finish(&header) }

    static func build(_ fill: (inout TarWriter) -> Void) -> [UInt8] {
        var writer = TarWriter()
        fill(&writer)
        return writer.archive
    }
}
