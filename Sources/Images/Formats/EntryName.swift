/// A name from an archive, judged: relative, inside the root, and of parts that a directory can hold.
struct EntryName: Hashable {
    /// Never empty parts, `.` or `..`; no parts at all for the root itself.
    let parts: [[UInt8]]

    var isRoot: Bool { parts.isEmpty }
    var leaf: [UInt8] { parts.last ?? [] }
    var parent: ArraySlice<[UInt8]> { parts.dropLast() }

    /// - Parameter absolute: whether a leading slash stands for the root inside (a link's target) or is refused (a name)
    /// - Throws: what is wrong with the name, without the name
    init(_ name: [UInt8], absolute: Bool = false, limits: ImageLimits) throws(ImportFailure) {
        guard name.count <= limits.nameBytes else {
            throw .refused(entry: nil, reason: "the name is longer than \(limits.nameBytes) bytes")
        }
        guard !name.contains(0) else { throw .refused(entry: nil, reason: "the name has a zero byte in it") }
        guard absolute || name.first != 0x2f else {
            throw .refused(entry: nil, reason: "the name is absolute: it would lead out of the root")
        }
        var parts: [[UInt8]] = []
        for part in name.split(separator: 0x2f) where !part.elementsEqual([0x2e]) {
            guard !part.elementsEqual([0x2e, 0x2e]) else {
                throw .refused(entry: nil, reason: "\"..\" in the name would lead out of the root")
            }
            guard part.count <= 255 else {
                throw .refused(entry: nil, reason: "a part of the name is longer than 255 bytes")
            }
            parts.append(Array(part))
        }
        guard parts.count <= limits.nameDepth else {
            throw .refused(entry: nil, reason: "nested deeper than \(limits.nameDepth) directories")
        }
        self.parts = parts
    }

    /// Would a symlink here, read without following any other, climb above the root? Docker refuses such layers too.
    func climbsOut(through target: [UInt8]) -> Bool {
        guard target.first != 0x2f else { return false }
        var depth = parent.count
        for part in target.split(separator: 0x2f) {
            if part.elementsEqual([0x2e, 0x2e]) {
                depth -= 1
                if depth < 0 { return true }
            } else if !part.elementsEqual([0x2e]) {
                depth += 1
            }
        }
        return false
    }
}

/// What a layer's entry stands for (OCI image-spec 1.1, layer.md, "Representing Changes").
enum LayerMark: Equatable {
    /// An entry like any other.
    case none
    /// The name in the same directory is gone from the layers below.
    case whiteout([UInt8])
    /// Nothing of the directory's contents in the layers below is left.
    case opaque
    /// aufs's own bookkeeping at the root, which old docker versions packed too.
    case bookkeeping

    private static let prefix = Array(".wh.".utf8)
    private static let meta = Array(".wh..wh.".utf8)

    /// - Throws: when the marker hides nothing that a directory can hold
    init(_ name: EntryName) throws(ImportFailure) {
        guard let leaf = name.parts.last else {
            self = .none
            return
        }
        if leaf.elementsEqual(".wh..wh..opq".utf8) {
            try Self.checkParents(name)
            self = .opaque
        } else if let first = name.parts.first, first.starts(with: Self.meta) {
            self = .bookkeeping
        } else if leaf.starts(with: Self.prefix) {
            try Self.checkParents(name)
            let hidden = Array(leaf.dropFirst(Self.prefix.count))
            guard !hidden.isEmpty, !hidden.elementsEqual([0x2e]), !hidden.elementsEqual([0x2e, 0x2e]),
                !hidden.starts(with: Self.prefix)
            else { throw .refused(entry: nil, reason: "a whiteout of nothing that could be there") }
            self = .whiteout(hidden)
        } else {
            try Self.checkParents(name)
            self = .none
        }
    }

    private static func checkParents(_ name: EntryName) throws(ImportFailure) {
        guard !name.parent.contains(where: { $0.starts(with: prefix) }) else {
            throw .refused(entry: nil, reason: "lies below a whiteout")
        }
    }
}
