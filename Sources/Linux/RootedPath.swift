import CLinux
import Glibc

/// Paths resolved below a directory as if it were the root: symlinks, absolute ones too, can't lead out (openat2(2),
/// RESOLVE_IN_ROOT; CVE-2021-30465).
public enum RootedPath {
    /// openat2(2)'s rules for resolving.
    public struct Resolve: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let noCrossMount = Resolve(rawValue: 0x01)
        public static let noMagicLinks = Resolve(rawValue: 0x02)
        public static let noSymlinks = Resolve(rawValue: 0x04)
        public static let beneath = Resolve(rawValue: 0x08)
        public static let inRoot = Resolve(rawValue: 0x10)
    }

    /// Opens `path` below `root`.
    public static func open(
        _ path: String, _ flags: Int32 = OpenFlag.path, mode: UInt32 = 0, root: Int32, resolve: Resolve = [.inRoot]
    ) throws(SystemError) -> Descriptor {
        let number = sys_openat2(root, path.isEmpty ? "." : path, UInt64(flags), UInt64(mode), resolve.rawValue)
        return Descriptor(owning: try check(number, "open", path))
    }

    /// Whether `path`, resolved inside `root`, leads to something.
    public static func exists(_ path: String, root: Int32) -> Bool { (try? open(path, root: root)) != nil }

    /// Opens the folder `path` below `root`, making the folders that are missing. Each step is resolved inside the root, so
    /// nothing is ever made outside of it (CVE-2024-45310); a link that leads nowhere has its target made, inside too.
    /// - Returns: an `O_PATH` descriptor of the folder.
    public static func makeDirectory(
        _ path: String, mode: UInt32 = 0o755, root: Int32
    ) throws(SystemError) -> Descriptor {
        try makeDirectory(path, path, mode: mode, root: root, linksLeft: 40)
    }

    private static let folderFlags = UInt64(OpenFlag.path | O_DIRECTORY)

    private static func makeDirectory(
        _ path: String, _ asked: String, mode: UInt32, root: Int32, linksLeft: Int
    ) throws(SystemError) -> Descriptor {
        let whole = sys_openat2(root, path.isEmpty ? "." : path, folderFlags, 0, Resolve.inRoot.rawValue)
        if whole != -ENOENT { return Descriptor(owning: try check(whole, "open", asked)) }
        if makeLast(path, mode, root) { return try open(path, OpenFlag.path | O_DIRECTORY, root: root) }
        var reached = ""
        var current = try open(".", OpenFlag.path | O_DIRECTORY, root: root)
        let parts = path.split(separator: "/").filter { $0 != "." }
        for (index, part) in parts.enumerated() {
            let above = reached
            reached += "/" + part
            var next = sys_openat2(root, reached, folderFlags, 0, Resolve.inRoot.rawValue)
            if next == -ENOENT {
                if part == ".." { throw SystemError("mkdir", path: asked, errno: .noEntry) }
                if let target = linkTarget(String(part), in: current.raw) {
                    if linksLeft == 0 { throw SystemError("mkdir", path: asked, errno: .loop) }
                    let start = target.utf8.first == UInt8(ascii: "/") ? target : above + "/" + target
                    let rest = parts[(index + 1)...].joined(separator: "/")
                    return try makeDirectory(
                        start + "/" + rest, asked, mode: mode, root: root, linksLeft: linksLeft - 1)
                }
                if mkdirat(current.raw, String(part), mode) < 0, Glibc.errno != EEXIST {
                    throw SystemError("mkdir", path: asked, errno: .current)
                }
                next = sys_openat2(root, reached, folderFlags, 0, Resolve.inRoot.rawValue)
            }
            current = Descriptor(owning: try check(next, "mkdir", asked))
        }
        return current
    }

    /// Makes the last part of a path whose folder is there, as it mostly is; false when that isn't all there is to do. mkdir(2)
    /// doesn't follow a link.
    private static func makeLast(_ path: String, _ mode: UInt32, _ root: Int32) -> Bool {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return false }
        let name = String(path[path.index(after: slash)...])
        if name.isEmpty || name == "." || name == ".." { return false }
        guard let folder = try? open(String(path[..<slash]), OpenFlag.path | O_DIRECTORY, root: root) else {
            return false
        }
        return mkdirat(folder.raw, name, mode) == 0
    }

    /// Nil when it isn't a link.
    private static func linkTarget(_ name: String, in directory: Int32) -> String? {
        try? File.readLink(name, at: directory)
    }

    /// Opens the file `path` below `root` without following where it leads out, making an empty one (and its folders) when
    /// it is missing.
    /// - Returns: an `O_PATH` descriptor of the file.
    public static func makeFile(_ path: String, mode: UInt32 = 0o644, root: Int32) throws(SystemError) -> Descriptor {
        try makeFile(path, path, mode: mode, root: root, linksLeft: 40)
    }

    private static func makeFile(
        _ path: String, _ asked: String, mode: UInt32, root: Int32, linksLeft: Int
    ) throws(SystemError) -> Descriptor {
        let whole = sys_openat2(root, path, UInt64(OpenFlag.path), 0, Resolve.inRoot.rawValue)
        if whole != -ENOENT { return Descriptor(owning: try check(whole, "open", asked)) }
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { String(path[..<$0]) } ?? ""
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        if name.isEmpty || name == "." || name == ".." { throw SystemError("create", path: asked, errno: .invalid) }
        let folder = try makeDirectory(parent, root: root)
        if let target = linkTarget(name, in: folder.raw) {
            if linksLeft == 0 { throw SystemError("create", path: asked, errno: .loop) }
            let start = target.utf8.first == UInt8(ascii: "/") ? target : parent + "/" + target
            return try makeFile(start, asked, mode: mode, root: root, linksLeft: linksLeft - 1)
        }
        // Below the folder that was just proven inside, one name and no symlink: nothing can lead out.
        let made = sys_openat2(
            folder.raw, name, UInt64(O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW), UInt64(mode), Resolve.beneath.rawValue)
        if made >= 0 {
            Glibc.close(made)
        } else if made != -EEXIST {
            try check(made, "create", asked)
        }
        return try open(path, OpenFlag.path, root: root)
    }
}
