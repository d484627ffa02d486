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

    /// Opens the folder `path` below `root`, making the folders that are missing. Each step is resolved inside the root, so
    /// nothing is ever made outside of it (CVE-2024-45310).
    /// - Returns: an `O_PATH` descriptor of the folder.
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o755, root: Int32) throws(SystemError)
        -> Descriptor
    {
        let whole = sys_openat2(
            root, path.isEmpty ? "." : path, UInt64(OpenFlag.path | O_DIRECTORY), 0, Resolve.inRoot.rawValue)
        if whole != -ENOENT { return Descriptor(owning: try check(whole, "open", path)) }
        var reached = ""
        var current = try open(".", OpenFlag.path | O_DIRECTORY, root: root)
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { throw SystemError("mkdir", path: path, errno: .invalid) }
            reached += "/" + part
            var next = sys_openat2(root, reached, UInt64(OpenFlag.path | O_DIRECTORY), 0, Resolve.inRoot.rawValue)
            if next == -ENOENT {
                if mkdirat(current.raw, String(part), mode) < 0, Glibc.errno != EEXIST {
                    throw SystemError("mkdir", path: path, errno: .current)
                }
                next = sys_openat2(root, reached, UInt64(OpenFlag.path | O_DIRECTORY), 0, Resolve.inRoot.rawValue)
            }
            current = Descriptor(owning: try check(next, "mkdir", path))
        }
        return current
    }

    /// Opens the file `path` below `root` without following where it leads out, making an empty one (and its folders) when
    /// it is missing.
    /// - Returns: an `O_PATH` descriptor of the file.
    public static func makeFile(_ path: String, mode: UInt32 = 0o644, root: Int32) throws(SystemError) -> Descriptor {
        let whole = sys_openat2(root, path, UInt64(OpenFlag.path), 0, Resolve.inRoot.rawValue)
        if whole != -ENOENT { return Descriptor(owning: try check(whole, "open", path)) }
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { String(path[..<$0]) } ?? ""
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        if name.isEmpty || name == "." || name == ".." { throw SystemError("create", path: path, errno: .invalid) }
        let folder = try makeDirectory(parent, root: root)
        // Below the folder that was just proven inside, one name and no symlink: nothing can lead out.
        let made = sys_openat2(
            folder.raw, name, UInt64(O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW), UInt64(mode),
            Resolve.beneath.rawValue)
        if made >= 0 { Glibc.close(made) }
        return try open(path, OpenFlag.path, root: root)
    }
}
