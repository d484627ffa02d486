import CLinux
import Glibc
import Linux

/// A mounted, empty tmpfs.
private final class EmptyFolder {
    let raw: Int32
    init(_ raw: Int32) { self.raw = raw }
    deinit { close(raw) }
}

/// Paths that the container may not see, or not change.
enum MaskStage {
    /// Covers files with the null device and folders with one empty, read-only tmpfs. What isn't there needs no cover.
    static func mask(_ paths: [String], root: Int32) throws(RuntimeError) {
        if paths.isEmpty { return }
        let null = try step("linux.maskedPaths") { () throws(SystemError) in try openNull() }
        var empty: EmptyFolder?
        for path in paths {
            try step("linux.maskedPaths \(path)") { () throws(SystemError) in
                guard let target = try find(path, root: root) else { return }
                if try !target.status().isDirectory {
                    return try MountTree.clone("", at: null.raw, recursive: false).attach(over: target.raw)
                }
                // A tmpfs costs the kernel something; the second folder gets a bind of the first's.
                if let first = empty {
                    return try MountTree.clone("", at: first.raw, recursive: false).attach(over: target.raw)
                }
                let filesystem = try FilesystemContext(type: "tmpfs")
                try filesystem.set("source", "tmpfs")
                let tree = try filesystem.mount(.readOnly)
                try tree.attach(over: target.raw)
                empty = EmptyFolder(try tree.descriptor.duplicate().release())
            }
        }
    }

    /// The host's null device, while the host's /dev is still what this path means, and the proof that it is one
    /// (CVE-2025-31133).
    private static func openNull() throws(SystemError) -> Descriptor {
        let null = try File.open("/dev/null", OpenFlag.path | O_NOFOLLOW)
        if try !DeviceStage.isDevice(DevicePlan(path: "/dev/null", major: 1, minor: 3), null.status()) {
            throw SystemError("open (not the null device)", path: "/dev/null", errno: .noDevice)
        }
        return null
    }

    /// Makes what is mounted at `path`, or the path itself bound on itself, read-only; every other attribute stays as it is,
    /// so that locked ones are no obstacle (mount_setattr(2)).
    static func makeReadOnly(_ path: String, root: Int32) throws(SystemError) {
        guard let target = try find(path, root: root) else { return }
        let tree = try MountTree.clone("", at: target.raw, recursive: true)
        try tree.change(set: .readOnly)
        try tree.attach(over: target.raw)
    }

    /// Nil when there is nothing at the path.
    private static func find(_ path: String, root: Int32) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return try RootedPath.open(path, OpenFlag.path, root: root)
        } catch {
            if error.errno == .noEntry || error.errno == .notDirectory { return nil }
            throw error
        }
    }
}
