import CLinux
import Glibc

/// Unpacks one layer's tar stream into its own directory, as overlayfs wants to find it: whiteouts as devices 0:0,
/// opaque directories as an xattr.
///
/// Not decided by the order of entries: whiteouts, opaque marks and directories' times are applied at the end.
final class LayerUnpacker {
    /// Names kept for the end, in bytes; more is an attack on memory.
    private static let deferredLimit = 64 << 20

    private let tree: LayerTree
    private let limits: ImageLimits
    private var whiteouts: [EntryName] = []
    private var opaque: Set<EntryName> = []
    private var directoryTimes: [[UInt8]: timespec] = [:]
    private var deferredBytes = 0

    init(_ tree: LayerTree, limits: ImageLimits) {
        self.tree = tree
        self.limits = limits
    }

    /// Unpacks all entries. What depends on the layers below is left to ``finish(on:)``, so that several layers of an image
    /// can be unpacked at once.
    func unpack(_ reader: TarReader) throws(ImportFailure) {
        while let entry = try reader.next() {
            do throws(ImportFailure) {
                try apply(entry, reader)
            } catch {
                throw error.inside(printable(entry.name))
            }
        }
    }

    private func apply(_ entry: TarEntry, _ reader: TarReader) throws(ImportFailure) {
        let name = try EntryName(entry.name, limits: limits)
        switch try LayerMark(name) {
        case .none: break
        case .bookkeeping: return
        case .opaque:
            let directory = EntryName(parts: name.parent)
            try postpone(name)
            opaque.insert(directory)
            return
        case .whiteout(let hidden):
            try postpone(name)
            whiteouts.append(EntryName(parts: name.parent + [hidden]))
            return
        }
        if name.isRoot {
            guard entry.kind == .directory else {
                throw .refused(entry: nil, reason: "the root must be a directory, not a \(entry.kind.text)")
            }
            return try describe(tree.root, entry, name)
        }
        let parent = try tree.directory(name.parent)
        switch entry.kind {
        case .directory: try makeDirectory(entry, name, in: parent)
        case .regular: try writeFile(entry, name, in: parent, reader)
        case .symbolicLink: try makeSymlink(entry, name, in: parent)
        case .hardLink: try makeHardLink(entry, name, in: parent)
        case .characterDevice, .blockDevice, .fifo: try makeNode(entry, name, in: parent)
        }
    }

    private func postpone(_ name: EntryName) throws(ImportFailure) {
        deferredBytes += name.parts.reduce(64) { $0 + $1.count + 33 }
        guard deferredBytes <= Self.deferredLimit else {
            throw .refused(entry: nil, reason: "too many directories and whiteouts")
        }
    }

    // MARK: Kinds

    private func makeDirectory(_ entry: TarEntry, _ name: EntryName, in parent: OpenFile) throws(ImportFailure) {
        let leaf = cString(name.leaf)
        if mkdirat(parent.fd, leaf, 0o700) != 0 {
            guard errno == EEXIST else { throw .call("make directory", shown(name), -errno) }
            var status = stat()
            try checkErrno(fstatat(parent.fd, leaf, &status, AT_SYMLINK_NOFOLLOW), "stat", shown(name))
            if status.st_mode & S_IFMT != S_IFDIR {
                try tree.clear(name, in: parent)
                try checkErrno(mkdirat(parent.fd, leaf, 0o700), "make directory", shown(name))
            }
        }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        let directory = OpenFile(owning: try check(sys_openat(parent.fd, leaf, flags, 0), "open", shown(name)))
        try describe(directory, entry, name)
    }

    /// A directory's attributes; its time when everything in it is there.
    private func describe(_ directory: OpenFile, _ entry: TarEntry, _ name: EntryName) throws(ImportFailure) {
        try setAttributes(directory.fd, entry, name)
        try tree.describe(directory, name)
        try postpone(name)
        directoryTimes[tree.joined(name.parts[...])] = entry.time
    }

    private func writeFile(
        _ entry: TarEntry, _ name: EntryName, in parent: OpenFile, _ reader: TarReader
    ) throws(ImportFailure) {
        let leaf = cString(name.leaf)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        var fd = sys_openat(parent.fd, leaf, flags, 0o600)
        if fd == -EEXIST {
            try tree.clear(name, in: parent)
            fd = sys_openat(parent.fd, leaf, flags, 0o600)
        }
        let file = OpenFile(owning: try check(fd, "make file", shown(name)))
        if let extents = entry.extents {
            for extent in extents {
                try checkErrno(lseek(file.fd, off_t(extent.offset), SEEK_SET) < 0 ? -1 : 0, "seek in", shown(name))
                try copy(extent.length, reader, file, name)
            }
            try checkErrno(ftruncate(file.fd, off_t(entry.fileSize)), "set the size of", shown(name))
        } else {
            try copy(entry.size, reader, file, name)
        }
        try setAttributes(file.fd, entry, name)
        var times = [entry.time, entry.time]
        try checkErrno(futimens(file.fd, &times), "set the time of", shown(name))
    }

    private func copy(
        _ count: UInt64, _ reader: TarReader, _ file: OpenFile, _ name: EntryName
    ) throws(ImportFailure) {
        var left = count
        while left > 0, let chunk = try reader.chunk(atMost: left) {
            try writeAll(file.fd, chunk, shown(name))
            left -= UInt64(chunk.count)
        }
    }

    private func makeSymlink(_ entry: TarEntry, _ name: EntryName, in parent: OpenFile) throws(ImportFailure) {
        guard !entry.link.isEmpty, entry.link.count <= limits.nameBytes, !entry.link.contains(0) else {
            throw .refused(
                entry: nil, reason: "a symlink's target must have 1 to \(limits.nameBytes) bytes, none of them zero")
        }
        guard !name.climbsOut(through: entry.link) else {
            throw .refused(entry: nil, reason: "a symlink to \(printable(entry.link)) leads out of the root")
        }
        let (leaf, target) = (cString(name.leaf), cString(entry.link))
        if symlinkat(target, parent.fd, leaf) != 0 {
            guard errno == EEXIST else { throw .call("make symlink", shown(name), -errno) }
            try tree.clear(name, in: parent)
            try checkErrno(symlinkat(target, parent.fd, leaf), "make symlink", shown(name))
        }
        try setAttributes(ofLeaf: leaf, entry, name, in: parent)
    }

    private func makeHardLink(_ entry: TarEntry, _ name: EntryName, in parent: OpenFile) throws(ImportFailure) {
        let target: EntryName
        do throws(ImportFailure) {
            target = try EntryName(entry.link, absolute: true, limits: limits)
            guard !target.isRoot, try LayerMark(target) == .none else {
                throw .refused(entry: nil, reason: "it is no file")
            }
        } catch {
            guard case .refused(_, let reason) = error else { throw error }
            throw .refused(entry: nil, reason: "a hard link to \(printable(entry.link)): \(reason)")
        }
        if target == name { return }
        let leaf = cString(name.leaf)
        var status = stat()
        guard let from = try tree.existing(target.parent),
            fstatat(from.fd, cString(target.leaf), &status, AT_SYMLINK_NOFOLLOW) == 0
        else {
            throw .refused(entry: nil, reason: "a hard link to \(printable(entry.link)), which the layer doesn't hold")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw .refused(entry: nil, reason: "a hard link to \(printable(entry.link)), which is a directory")
        }
        if linkat(from.fd, cString(target.leaf), parent.fd, leaf, 0) != 0 {
            guard errno == EEXIST else { throw .call("make hard link", shown(name), -errno) }
            try tree.clear(name, in: parent)
            // What was in the way may have been the target's own directory.
            guard linkat(from.fd, cString(target.leaf), parent.fd, leaf, 0) == 0 else {
                throw .refused(entry: nil, reason: "a hard link to \(printable(entry.link)), which it replaces")
            }
        }
    }

    private func makeNode(_ entry: TarEntry, _ name: EntryName, in parent: OpenFile) throws(ImportFailure) {
        var type = S_IFIFO
        if entry.kind != .fifo {
            // In a directory of devices a node is what it is on any system, and the container's device rules decide who
            // may open it. Anywhere else it is a trick.
            guard name.parent.contains(where: { $0.elementsEqual("dev".utf8) || $0.elementsEqual("devices".utf8) })
            else {
                throw .refused(
                    entry: nil,
                    reason:
                        "a \(entry.kind.text) (\(entry.deviceMajor):\(entry.deviceMinor)) outside of a dev directory")
            }
            type = entry.kind == .blockDevice ? S_IFBLK : S_IFCHR
        }
        let leaf = cString(name.leaf)
        var result = sys_mknodat(parent.fd, leaf, type | 0o600, entry.deviceMajor, entry.deviceMinor)
        if result == -EEXIST {
            try tree.clear(name, in: parent)
            result = sys_mknodat(parent.fd, leaf, type | 0o600, entry.deviceMajor, entry.deviceMinor)
        }
        try check(result, "make \(entry.kind.text)", shown(name))
        try setAttributes(ofLeaf: leaf, entry, name, in: parent)
    }

    // MARK: Attributes

    /// Owner first: chown(2) takes set-id bits and capabilities away.
    private func setAttributes(_ fd: Int32, _ entry: TarEntry, _ name: EntryName) throws(ImportFailure) {
        try checkErrno(fchown(fd, entry.uid, entry.gid), "set the owner of", shown(name))
        try checkErrno(fchmod(fd, entry.mode), "set the mode of", shown(name))
        for (attribute, value) in entry.attributes where Self.isKept(attribute, of: entry.kind) {
            let result = value.withUnsafeBytes { sys_fsetxattr(fd, cString(attribute), $0.baseAddress, $0.count, 0) }
            // A filesystem without user attributes can still run the image; without capabilities it can't.
            if result == -EOPNOTSUPP && attribute.starts(with: "user.".utf8) { continue }
            try check(result, "set the attribute \(printable(attribute)) of", shown(name))
        }
    }

    /// Attributes that mean something in a container. `trusted.` belongs to overlayfs and would let a layer point into
    /// another's files; labels of security modules belong to the host that built the image.
    private static func isKept(_ attribute: [UInt8], of kind: TarEntry.Kind) -> Bool {
        if attribute.contains(0) { return false }
        if attribute.starts(with: "user.".utf8) { return true }
        return kind == .regular && attribute.elementsEqual("security.capability".utf8)
    }

    private func setAttributes(
        ofLeaf leaf: [CChar], _ entry: TarEntry, _ name: EntryName, in parent: OpenFile
    ) throws(ImportFailure) {
        let owned = fchownat(parent.fd, leaf, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW)
        try checkErrno(owned, "set the owner of", shown(name))
        if entry.kind != .symbolicLink {
            try check(sys_fchmodat(parent.fd, leaf, entry.mode), "set the mode of", shown(name))
        }
        var times = [entry.time, entry.time]
        try checkErrno(utimensat(parent.fd, leaf, &times, AT_SYMLINK_NOFOLLOW), "set the time of", shown(name))
    }

    private func shown(_ name: EntryName) -> String { tree.shown(name.parts[...]) }

    // MARK: The end

    /// Puts the layer on those below it: whiteouts, opaque directories, and what directories have there.
    ///
    /// - Parameter below: the trees of the layers below, the topmost first
    func finish(on below: [OpenFile]) throws(ImportFailure) {
        try tree.settle(on: below)
        for directory in opaque {
            if directory.isRoot {
                // overlayfs merges the roots whatever they are marked with.
                for hidden in try tree.rootNamesBelow() { whiteouts.append(EntryName(parts: [hidden])) }
            } else if let below = tree.statusBelow(directory.parts[...]), below.st_mode & S_IFMT == S_IFDIR {
                try markOpaque(try tree.directory(directory.parts[...]), directory)
            }
        }
        for name in whiteouts { try hide(name) }
        for (path, time) in directoryTimes.merging(tree.inheritedTimes, uniquingKeysWith: { own, _ in own }) {
            let fd = sys_openat2(
                tree.root.fd, path.isEmpty ? cString([0x2e]) : cString(path), UInt64(O_RDONLY | O_DIRECTORY), 0,
                Resolve.beneath | Resolve.noSymlinks)
            // Replaced by a later entry.
            guard fd >= 0 else { continue }
            let directory = OpenFile(owning: fd)
            var times = [time, time]
            try checkErrno(futimens(directory.fd, &times), "set the time of", tree.shown([path]))
        }
    }

    private func hide(_ name: EntryName) throws(ImportFailure) {
        // A whiteout of what isn't there would show up as a broken name where overlayfs has nothing to merge.
        guard let below = tree.statusBelow(name.parts[...]) else { return }
        if below.st_mode & S_IFMT == S_IFCHR && below.st_rdev == 0 { return }
        let ancestors = (1..<max(1, name.parts.count)).map { EntryName(parts: name.parts.prefix($0)) }
        if ancestors.contains(where: opaque.contains) { return }
        let parent = try tree.directory(name.parent)
        let leaf = cString(name.leaf)
        var status = stat()
        if fstatat(parent.fd, leaf, &status, AT_SYMLINK_NOFOLLOW) == 0 {
            // The layer replaces what it removes: only a directory would be merged with what is below.
            if status.st_mode & S_IFMT == S_IFDIR { try markOpaque(try tree.opened(name.parts[...]), name) }
            return
        }
        try check(sys_mknodat(parent.fd, leaf, S_IFCHR, 0, 0), "make whiteout", shown(name))
    }

    private func markOpaque(_ directory: OpenFile, _ name: EntryName) throws(ImportFailure) {
        let result = sys_fsetxattr(directory.fd, "trusted.overlay.opaque", "y", 1, 0)
        try check(result, "mark as opaque", shown(name))
    }
}

extension EntryName {
    /// Parts that were judged already.
    init(parts: some Collection<[UInt8]>) { self.parts = Array(parts) }
}

extension TarEntry {
    var time: timespec { timespec(tv_sec: Int(modifiedSeconds), tv_nsec: modifiedNanoseconds) }
}
