import CLinux
import Glibc

/// The directory that a layer is unpacked into. Every call names its place by parts below the root's descriptor, and none
/// ever leaves it: parents are resolved by the kernel with RESOLVE_BENEATH, leaves are never followed.
final class LayerTree {
    let root: OpenFile
    /// The trees of the layers below, the topmost first: a directory that this layer only mentions in passing keeps the
    /// owner and mode that it has there. They may come when everything of this layer is unpacked.
    private var below: [OpenFile] = []
    private let path: String
    /// Directories that no entry has described, by inode: their paths.
    private var implied: [UInt64: [UInt8]] = [:]
    private var impliedBytes = 0
    private let impliedLimit: Int
    /// Bytes of the paths; more is an attack on memory.
    private static let impliedBytesLimit = 64 << 20
    /// The times that they have in the layers below, by path.
    private(set) var inheritedTimes: [[UInt8]: timespec] = [:]
    /// The directory of the last entry: most entries lie beside their predecessor.
    private var cached: (parts: ArraySlice<[UInt8]>, directory: OpenFile)?

    init(root: OpenFile, path: String, limits: ImageLimits) throws(ImportFailure) {
        impliedLimit = limits.layerEntries
        self.root = root
        self.path = path
        try imply([], root)
    }

    /// The directory with these parts, made where it's missing.
    func directory(_ parts: ArraySlice<[UInt8]>) throws(ImportFailure) -> OpenFile {
        if let cached, cached.parts == parts { return cached.directory }
        guard let leaf = parts.last else { return root }
        let directory: OpenFile
        switch open(parts) {
        case .success(let found): directory = found
        case .failure(ENOENT):
            let parent = try self.directory(parts.dropLast())
            if mkdirat(parent.fd, cString(leaf), 0o755) != 0 && errno != EEXIST {
                throw .call("make directory", shown(parts), -errno)
            }
            directory = try opened(parts)
            try imply(parts, directory)
        case .failure(let code): throw refusal(code, parts)
        }
        cached = (parts, directory)
        return directory
    }

    /// A directory of this layer; nil when it isn't there.
    func existing(_ parts: ArraySlice<[UInt8]>) throws(ImportFailure) -> OpenFile? {
        switch open(parts) {
        case .success(let directory): return directory
        case .failure(ENOENT): return nil
        case .failure(let code): throw refusal(code, parts)
        }
    }

    /// A directory of this layer that must be there.
    func opened(_ parts: ArraySlice<[UInt8]>) throws(ImportFailure) -> OpenFile {
        switch open(parts) {
        case .success(let directory): return directory
        case .failure(let code): throw refusal(code, parts)
        }
    }

    /// To be called when something was replaced: the cached directory may be gone.
    func forget() { cached = nil }

    /// Makes room for a new entry of that name.
    func clear(_ name: EntryName, in parent: OpenFile) throws(ImportFailure) {
        forget()
        try TreeRemoval.remove(name.leaf, in: parent.fd, path: shown(name.parts[...]))
    }

    /// What of that name is in the topmost layer below that has it; nil when none has.
    func statusBelow(_ parts: ArraySlice<[UInt8]>) -> stat? {
        for layer in below {
            let joined = cString(parts.isEmpty ? [0x2e] : joined(parts))
            let fd = sys_openat2(
                layer.fd, joined, UInt64(pathOnly | O_NOFOLLOW), 0,
                Resolve.beneath | Resolve.noSymlinks | Resolve.noXDev)
            // A last symlink can't be opened under NO_SYMLINKS, but it is there.
            if fd == -ELOOP { return statusOfLink(joined, in: layer) }
            guard fd >= 0 else { continue }
            let file = OpenFile(owning: fd)
            var status = stat()
            if fstat(file.fd, &status) == 0 { return status }
        }
        return nil
    }

    private func statusOfLink(_ joined: [CChar], in layer: OpenFile) -> stat? {
        let fd = sys_openat2(
            layer.fd, joined, UInt64(pathOnly | O_NOFOLLOW), 0, Resolve.beneath | Resolve.noMagicLinks | Resolve.noXDev)
        guard fd >= 0 else { return nil }
        let file = OpenFile(owning: fd)
        var status = stat()
        return fstat(file.fd, &status) == 0 ? status : nil
    }

    private func imply(_ parts: ArraySlice<[UInt8]>, _ directory: OpenFile) throws(ImportFailure) {
        let joined = joined(parts)
        impliedBytes += joined.count + 64
        guard implied.count < impliedLimit, impliedBytes <= Self.impliedBytesLimit else {
            throw .refused(entry: nil, reason: "more than \(implied.count) directories without an entry")
        }
        implied[try inode(directory, parts)] = joined
    }

    /// An entry says how that directory is to be.
    func describe(_ directory: OpenFile, _ name: EntryName) throws(ImportFailure) {
        implied[try inode(directory, name.parts[...])] = nil
    }

    private func inode(_ directory: OpenFile, _ parts: ArraySlice<[UInt8]>) throws(ImportFailure) -> UInt64 {
        var status = stat()
        try checkErrno(fstat(directory.fd, &status), "stat", shown(parts))
        return UInt64(status.st_ino)
    }

    /// Puts the layer on those below: its directories that no entry described get the attributes that they have there.
    func settle(on below: [OpenFile]) throws(ImportFailure) {
        self.below = below
        for (inode, path) in implied {
            let parts = path.split(separator: 0x2f).map(Array.init)[...]
            // Replaced or removed by a later entry, perhaps.
            guard case .success(let directory) = open(parts), try self.inode(directory, parts) == inode else {
                continue
            }
            try inherit(parts, into: directory)
        }
    }

    private func inherit(_ parts: ArraySlice<[UInt8]>, into directory: OpenFile) throws(ImportFailure) {
        guard let status = statusBelow(parts), status.st_mode & S_IFMT == S_IFDIR else {
            try checkErrno(fchmod(directory.fd, 0o755), "set the mode of", shown(parts))
            return
        }
        try checkErrno(fchown(directory.fd, status.st_uid, status.st_gid), "set the owner of", shown(parts))
        try checkErrno(fchmod(directory.fd, status.st_mode & 0o7777), "set the mode of", shown(parts))
        // Beyond this many, the names cost more than the times are worth.
        if inheritedTimes.count < 100_000 { inheritedTimes[joined(parts)] = status.st_mtim }
    }

    /// What the roots of the layers below hold.
    func rootNamesBelow() throws(ImportFailure) -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        for layer in below {
            for name in try TreeRemoval.names(in: layer.fd, path: path) {
                names.insert(name.dropLast().map { UInt8(bitPattern: $0) })
            }
        }
        return names
    }

    // MARK: Resolving

    private enum Opened {
        case success(OpenFile)
        case failure(Int32)
    }

    private func open(_ parts: ArraySlice<[UInt8]>) -> Opened {
        guard !parts.isEmpty else { return .success(root) }
        let fd = sys_openat2(
            root.fd, cString(joined(parts)), UInt64(O_RDONLY | O_DIRECTORY), 0,
            Resolve.beneath | Resolve.noMagicLinks | Resolve.noXDev)
        return fd < 0 ? .failure(-fd) : .success(OpenFile(owning: fd))
    }

    private func refusal(_ code: Int32, _ parts: ArraySlice<[UInt8]>) -> ImportFailure {
        let directory = printable(joined(parts))
        switch code {
        case EXDEV: return .refused(entry: nil, reason: "\(directory) is a symlink that leads out of the root")
        case ELOOP: return .refused(entry: nil, reason: "\(directory) is a symlink to itself")
        case ENOTDIR: return .refused(entry: nil, reason: "\(directory) is not a directory")
        case ENOENT: return .refused(entry: nil, reason: "\(directory) leads nowhere")
        case ENAMETOOLONG: return .refused(entry: nil, reason: "the name is too long")
        default: return .call("open", shown(parts), -code)
        }
    }

    func shown(_ parts: ArraySlice<[UInt8]>) -> String { path + "/" + printable(joined(parts)) }

    func joined(_ parts: ArraySlice<[UInt8]>) -> [UInt8] { Array(parts.joined(separator: [0x2f])) }
}

/// O_PATH (open(2)), which Glibc's module doesn't export.
let pathOnly: Int32 = 0o10000000

/// The bytes with the zero that C wants after them.
func cString(_ bytes: [UInt8]) -> [CChar] {
    var text: [CChar] = []
    text.reserveCapacity(bytes.count + 1)
    for byte in bytes { text.append(CChar(bitPattern: byte)) }
    text.append(0)
    return text
}
