import Glibc
import Linux

/// Writes a tar archive (POSIX ustar, with pax headers for what doesn't fit) into a file, front to back.
struct TarWriter: ~Copyable {
    /// What an entry is.
    enum Kind: Sendable {
        case file(size: UInt64)
        case directory
        case link(target: String)
        case device(block: Bool, major: UInt32, minor: UInt32)
        case fifo
    }

    struct Entry: Sendable {
        var name: String
        var kind: Kind
        var mode: UInt32
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        var modifiedSeconds: Int64 = 0
    }

    private let file: Descriptor

    init(_ file: consuming Descriptor) { self.file = file }

    /// An entry that is its header alone, or whose bytes are here.
    func add(_ entry: Entry, bytes: [UInt8] = []) throws(SystemError) {
        try writeHeader(entry)
        try write(bytes)
        try pad(UInt64(bytes.count))
    }

    /// A small file of the archive's own.
    func add(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
        let kind = Kind.file(size: UInt64(bytes.count))
        try add(Entry(name: name, kind: kind, mode: 0o600, modifiedSeconds: Int64(time(nil))), bytes: bytes)
    }

    /// A file with the contents of another, as many bytes as `entry` says: what is cut off meanwhile reads as zeros.
    func add(_ entry: Entry, contents: borrowing Descriptor) throws(SystemError) {
        guard case .file(let size) = entry.kind else { return }
        try writeHeader(entry)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { room.deallocate() }
        var left = size
        while left > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: room[..<Int(min(left, UInt64(room.count)))])
            var count = try contents.read(into: piece)
            if count == 0 {
                piece.initializeMemory(as: UInt8.self, repeating: 0)
                count = piece.count
            }
            try file.writeAll(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            left -= UInt64(count)
        }
        try pad(size)
    }

    /// The two empty blocks at the end.
    func finish() throws(SystemError) { try write([UInt8](repeating: 0, count: 1024)) }

    private func write(_ bytes: [UInt8]) throws(SystemError) {
        if !bytes.isEmpty { try file.writeAll(bytes) }
    }

    private func pad(_ size: UInt64) throws(SystemError) {
        try write([UInt8](repeating: 0, count: Int((512 - size % 512) % 512)))
    }

    // MARK: Headers

    private func writeHeader(_ entry: Entry) throws(SystemError) {
        var records: [(String, String)] = []
        if entry.name.utf8.count > 100 { records.append(("path", entry.name)) }
        if case .link(let target) = entry.kind, target.utf8.count > 100 { records.append(("linkpath", target)) }
        if case .file(let size) = entry.kind, size > 0o777_7777_7777 { records.append(("size", String(size))) }
        if entry.uid > 0o777_7777 { records.append(("uid", String(entry.uid))) }
        if entry.gid > 0o777_7777 { records.append(("gid", String(entry.gid))) }
        if !records.isEmpty {
            let bytes = Array(records.map(Self.record).joined().utf8)
            let pax = Entry(name: "pax", kind: .file(size: UInt64(bytes.count)), mode: 0o600)
            try write(Self.block(pax, flag: UInt8(ascii: "x")))
            try write(bytes)
            try pad(UInt64(bytes.count))
        }
        try write(Self.block(entry, flag: Self.flag(entry.kind)))
    }

    /// `LENGTH key=value\n`, where the length counts itself.
    private static func record(_ key: String, _ value: String) -> String {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count
        while String(length).utf8.count + rest.utf8.count != length {
            length = String(length).utf8.count + rest.utf8.count
        }
        return "\(length)\(rest)"
    }

    private static func flag(_ kind: Kind) -> UInt8 {
        switch kind {
        case .file: UInt8(ascii: "0")
        case .link: UInt8(ascii: "2")
        case .device(let block, _, _): UInt8(ascii: block ? "4" : "3")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }

    private static func block(_ entry: Entry, flag: UInt8) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, at start: Int, atMost count: Int) {
            for (index, byte) in text.prefix(count).enumerated() { block[start + index] = byte }
        }
        func octal(_ value: UInt64, at start: Int, digits: Int) {
            let most = digits == 11 ? UInt64(0o777_7777_7777) : UInt64(0o777_7777)
            let text = String(min(value, most), radix: 8)
            put(Array((String(repeating: "0", count: digits - text.utf8.count) + text).utf8), at: start, atMost: digits)
        }
        put(Array(entry.name.utf8), at: 0, atMost: 100)
        octal(UInt64(entry.mode & 0o7777), at: 100, digits: 7)
        octal(UInt64(entry.uid), at: 108, digits: 7)
        octal(UInt64(entry.gid), at: 116, digits: 7)
        octal(UInt64(max(0, entry.modifiedSeconds)), at: 136, digits: 11)
        block[156] = flag
        put(Array("ustar".utf8), at: 257, atMost: 5)
        put([48, 48], at: 263, atMost: 2)
        var size: UInt64 = 0
        switch entry.kind {
        case .file(let bytes): size = bytes
        case .link(let target): put(Array(target.utf8), at: 157, atMost: 100)
        case .device(_, let major, let minor):
            octal(UInt64(major), at: 329, digits: 7)
            octal(UInt64(minor), at: 337, digits: 7)
        case .directory, .fifo: break
        }
        octal(size, at: 124, digits: 11)
        // The checksum counts itself as blanks.
        put([UInt8](repeating: 32, count: 8), at: 148, atMost: 8)
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        octal(sum, at: 148, digits: 6)
        block[154] = 0
        return block
    }
}
