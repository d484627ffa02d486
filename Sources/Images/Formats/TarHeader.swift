/// The fixed block of 512 bytes before each entry (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar's manual, "Basic
/// Tar Format").
struct TarHeader {
    static let size = 512
    private let bytes: [UInt8]

    /// - Throws: when the checksum is wrong, which is how a damaged archive shows
    init(_ block: UnsafeRawBufferPointer) throws(ImportFailure) {
        bytes = [UInt8](block)
        var unsigned = 0
        var signed = 0
        for (index, byte) in bytes.enumerated() {
            let counted = (148..<156).contains(index) ? 0x20 : byte
            unsigned += Int(counted)
            signed += Int(Int8(bitPattern: counted))
        }
        // A sum that is no number is as wrong as any other.
        let sum = (try? number(148, 8, "checksum")) ?? -1
        guard sum == Int64(unsigned) || sum == Int64(signed) else {
            throw .refused(entry: nil, reason: "not a tar archive, or a damaged one: a header's checksum is wrong")
        }
    }

    var typeFlag: UInt8 { bytes[156] }
    var isGNU: Bool { bytes[257..<265].elementsEqual("ustar  \0".utf8) }
    private var isUstar: Bool { bytes[257..<263].elementsEqual("ustar\0".utf8) }

    /// The name, with ustar's prefix before it.
    var name: [UInt8] {
        let name = text(0, 100)
        // star keeps times where ustar has the end of the prefix, and says so in the block's last bytes.
        let prefixLength = bytes[508..<512].elementsEqual("tar\0".utf8) ? 131 : 155
        guard isUstar, bytes[345] != 0 else { return name }
        return text(345, prefixLength) + [0x2f] + name
    }

    var link: [UInt8] { text(157, 100) }

    /// A field that ends at its first zero byte.
    private func text(_ offset: Int, _ length: Int) -> [UInt8] {
        Array(bytes[offset..<offset + length].prefix { $0 != 0 })
    }

    func mode() throws(ImportFailure) -> UInt32 {
        UInt32(truncatingIfNeeded: try number(100, 8, "mode")) & 0o7777
    }
    func uid() throws(ImportFailure) -> UInt32 { try Self.identity(number(108, 8, "uid"), "uid") }
    func gid() throws(ImportFailure) -> UInt32 { try Self.identity(number(116, 8, "gid"), "gid") }
    func modified() throws(ImportFailure) -> Int64 { try number(136, 12, "mtime") }
    func entrySize() throws(ImportFailure) -> UInt64 { try Self.length(number(124, 12, "size"), "size") }
    func device() throws(ImportFailure) -> (major: UInt32, minor: UInt32) {
        let (major, minor) = (try number(329, 8, "devmajor"), try number(337, 8, "devminor"))
        // The kernel's dev_t has 12 and 20 bits.
        guard (0..<4096).contains(major), (0..<1 << 20).contains(minor) else {
            throw .refused(entry: nil, reason: "device number \(major):\(minor) is out of range")
        }
        return (UInt32(major), UInt32(minor))
    }

    /// An old GNU sparse header's first extents and what follows.
    func sparse() throws(ImportFailure) -> (extents: [TarEntry.Extent], more: Bool, realSize: UInt64) {
        let extents = try Self.extents(in: bytes[386..<482])
        return (extents, bytes[482] != 0, try Self.length(number(483, 12, "real size"), "real size"))
    }

    /// Reads 24-byte pairs of offset and length until an empty one.
    static func extents(in bytes: ArraySlice<UInt8>) throws(ImportFailure) -> [TarEntry.Extent] {
        var extents: [TarEntry.Extent] = []
        var index = bytes.startIndex
        while index + 24 <= bytes.endIndex, bytes[index] != 0 {
            extents.append(
                TarEntry.Extent(
                    offset: try length(number(bytes[index..<index + 12], "sparse offset"), "sparse offset"),
                    length: try length(number(bytes[index + 12..<index + 24], "sparse length"), "sparse length")))
            index += 24
        }
        return extents
    }

    private func number(_ offset: Int, _ length: Int, _ field: String) throws(ImportFailure) -> Int64 {
        try Self.number(bytes[offset..<offset + length], field)
    }

    /// An octal number between blanks and zeros, or GNU's base 256 when the first bit is set.
    static func number(_ field: ArraySlice<UInt8>, _ name: String) throws(ImportFailure) -> Int64 {
        guard let first = field.first else { return 0 }
        if first & 0x80 != 0 {
            var value: Int64 = first & 0x40 != 0 ? -1 : 0
            value = value << 6 | Int64(first & 0x3f)
            for byte in field.dropFirst() {
                // Eight bits more must not push a significant one out.
                guard value >> 55 == 0 || value >> 55 == -1 else { throw bad(name) }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        var digits = field.drop { $0 == 0x20 || $0 == 0 }
        if let end = digits.firstIndex(where: { $0 == 0x20 || $0 == 0 }) { digits = digits[..<end] }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit), value >> 59 == 0 else { throw bad(name) }
            value = value << 3 | Int64(digit - 0x30)
        }
        return value
    }

    private static func bad(_ field: String) -> ImportFailure {
        .refused(entry: nil, reason: "a tar header's \(field) is not a number")
    }

    /// A uid or gid has 32 bits, and the last one means "no one" to chown(2).
    static func identity(_ value: Int64, _ field: String) throws(ImportFailure) -> UInt32 {
        guard let identity = UInt32(exactly: value), identity != .max else {
            throw .refused(entry: nil, reason: "\(field) \(value) is out of range")
        }
        return identity
    }

    static func length(_ value: Int64, _ field: String) throws(ImportFailure) -> UInt64 {
        // off_t ends at 2^63; no filesystem of Linux goes near it.
        guard value >= 0, value < 1 << 62 else {
            throw .refused(entry: nil, reason: "\(field) \(value) is out of range")
        }
        return UInt64(value)
    }
}
