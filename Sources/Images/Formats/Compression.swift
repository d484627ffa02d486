/// How a stream is compressed, told by its first bytes: what a media type claims is not to be relied on.
enum Compression: Equatable {
    case none
    case gzip
    case zstd
    /// Known, and not done.
    case unsupported(String)

    /// - Parameter start: the stream's first bytes, at least 6 where there are as many
    init(start: [UInt8]) {
        func begins(_ magic: [UInt8]) -> Bool { start.starts(with: magic) }
        if begins([0x1f, 0x8b]) {
            self = .gzip
        } else if begins([0x28, 0xb5, 0x2f, 0xfd]) {
            self = .zstd
        } else if begins([0xfd, 0x37, 0x7a, 0x58, 0x5a]) {
            self = .unsupported("xz")
        } else if begins([0x42, 0x5a, 0x68]) {
            self = .unsupported("bzip2")
        } else if begins([0x04, 0x22, 0x4d, 0x18]) {
            self = .unsupported("lz4")
        } else if begins([0x50, 0x4b, 0x03, 0x04]) {
            self = .unsupported("zip")
        } else {
            self = .none
        }
    }
}
