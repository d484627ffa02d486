import Glibc

/// An image tarball's table of contents: which name is which part of the file. Nothing is unpacked for it.
final class TarballContents {
    struct Part: Equatable {
        var offset: UInt64
        var length: UInt64
    }

    private enum Item {
        case file(Part)
        /// Another name inside the archive: old docker versions save a layer that two images share once.
        case alias([[UInt8]])
    }

    /// The plain archive: the tarball itself, or what it decompressed to.
    let file: OpenFile
    let path: String
    private let limits: ImageLimits
    private var items: [[UInt8]: Item] = [:]

    /// - Parameter file: an uncompressed tar archive
    init(file: OpenFile, length: UInt64, path: String, limits: ImageLimits) throws(ImportFailure) {
        self.file = file
        self.path = path
        self.limits = limits
        let window = FileWindow(file, path: path, offset: 0, length: length)
        let reader = TarReader(window, limits: limits, entryLimit: limits.archiveEntries)
        while let entry = try reader.next() {
            do throws(ImportFailure) {
                try add(entry)
            } catch {
                throw error.inside(printable(entry.name))
            }
        }
        guard !items.isEmpty else { throw .refused(entry: nil, reason: "an empty archive") }
    }

    private func add(_ entry: TarEntry) throws(ImportFailure) {
        let name = try EntryName(entry.name, limits: limits)
        let key = Self.key(name.parts)
        switch entry.kind {
        case .directory: break
        case .regular:
            guard !name.isRoot, entry.extents == nil else {
                throw .refused(entry: nil, reason: "an image archive holds plain files only")
            }
            items[key] = .file(Part(offset: entry.dataOffset, length: entry.size))
        case .hardLink:
            items[key] = .alias(try target(of: entry, name, from: []))
        case .symbolicLink:
            items[key] = .alias(try target(of: entry, name, from: Array(name.parent)))
        case .characterDevice, .blockDevice, .fifo:
            throw .refused(entry: nil, reason: "a \(entry.kind.text) has no place in an image archive")
        }
    }

    private func target(of entry: TarEntry, _ name: EntryName, from base: [[UInt8]]) throws(ImportFailure) -> [[UInt8]]
    {
        guard name.parts.first?.elementsEqual("blobs".utf8) != true else {
            throw .refused(entry: nil, reason: "a \(entry.kind.text) where a blob must be a file")
        }
        var parts = base
        let out = ImportFailure.refused(
            entry: nil, reason: "a \(entry.kind.text) to \(printable(entry.link)) leads out of the archive")
        guard entry.link.first != 0x2f else { throw out }
        for part in entry.link.split(separator: 0x2f) where !part.elementsEqual([0x2e]) {
            if part.elementsEqual([0x2e, 0x2e]) {
                guard parts.popLast() != nil else { throw out }
            } else {
                parts.append(Array(part))
            }
        }
        return parts
    }

    private static func key(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined(separator: [0x2f])) }

    func has(_ name: String) -> Bool { items[Array(name.utf8)] != nil }

    /// The part of the file that a name stands for.
    func part(_ name: String) throws(ImportFailure) -> Part {
        var key = Self.key(try EntryName(Array(name.utf8), limits: limits).parts)
        for _ in 0..<8 {
            switch items[key] {
            case .file(let part): return part
            case .alias(let target): key = Self.key(target)
            case nil: throw .refused(entry: printable(name.utf8), reason: "missing from the archive")
            }
        }
        throw .refused(entry: printable(name.utf8), reason: "a link to a link to a link …")
    }

    /// A whole small document.
    func document(_ name: String) throws(ImportFailure) -> [UInt8] {
        let part = try part(name)
        guard part.length <= UInt64(limits.documentBytes) else {
            throw .refused(
                entry: printable(name.utf8),
                reason: "\(part.length) bytes, more than the \(limits.documentBytes) of a document")
        }
        var bytes = [UInt8](repeating: 0, count: Int(part.length))
        let window = FileWindow(file, path: path, offset: part.offset, length: part.length)
        var filled = 0
        while filled < bytes.count {
            let from = filled
            let got = try bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(ImportFailure) in
                    try window.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[from...]))
                }
            }.get()
            if got == 0 { break }
            filled += got
        }
        return bytes
    }

    /// A blob of an OCI layout, read whole and held against its digest and size.
    func blob(_ descriptor: Descriptor) throws(ImportFailure) -> (bytes: [UInt8], digest: Digest) {
        let (name, digest) = try Self.blobName(descriptor)
        let bytes = try document(name)
        guard bytes.count == descriptor.size else {
            throw .refused(entry: name, reason: "\(bytes.count) bytes where \(descriptor.size) were announced")
        }
        let actual = Digest(of: bytes)
        guard actual == digest else { throw Self.mismatch(name, expected: digest, actual: actual) }
        return (bytes, digest)
    }

    static func blobName(_ descriptor: Descriptor) throws(ImportFailure) -> (name: String, digest: Digest) {
        guard let digest = Digest(descriptor.digest) else {
            throw .refused(
                entry: nil,
                reason: "the digest \(printable(descriptor.digest.utf8)) is no sha256 digest, which is all that is done"
            )
        }
        return ("blobs/sha256/" + digest.hex, digest)
    }

    static func mismatch(_ name: String, expected: Digest, actual: Digest) -> ImportFailure {
        .refused(entry: printable(name.utf8), reason: "wrong digest: \(actual) where \(expected) was announced")
    }
}
