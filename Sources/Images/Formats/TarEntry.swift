/// One entry of a tar archive, as its headers say: nothing in it has been judged.
struct TarEntry {
    enum Kind: Equatable {
        case regular
        case hardLink
        case symbolicLink
        case characterDevice
        case blockDevice
        case directory
        case fifo

        var text: String {
            switch self {
            case .regular: "file"
            case .hardLink: "hard link"
            case .symbolicLink: "symlink"
            case .characterDevice: "character device"
            case .blockDevice: "block device"
            case .directory: "directory"
            case .fifo: "fifo"
            }
        }
    }

    /// A stretch of a sparse file that has data, in bytes.
    struct Extent: Equatable {
        var offset: UInt64
        var length: UInt64
    }

    var kind: Kind
    /// The bytes as archived: not necessarily UTF-8.
    var name: [UInt8]
    /// The target of a link.
    var link: [UInt8] = []
    /// Permission bits, set-id bits and the sticky bit.
    var mode: UInt32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    var modifiedSeconds: Int64 = 0
    var modifiedNanoseconds: Int = 0
    /// Bytes of data in the archive.
    var size: UInt64 = 0
    /// Bytes of the file once it is written, holes included.
    var fileSize: UInt64 = 0
    /// nil when the file has no holes.
    var extents: [Extent]?
    var deviceMajor: UInt32 = 0
    var deviceMinor: UInt32 = 0
    var attributes: [(name: [UInt8], value: [UInt8])] = []
    /// Where the entry's data begins, counted from the archive's start, in bytes.
    var dataOffset: UInt64 = 0
}
