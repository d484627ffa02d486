import CLinux
import Glibc

/// Measures a directory tree by descriptors, while others may write in it: never through a symlink, never across a mount.
enum TreeUsage {
    /// Directories open at once, as deep as the measuring goes; what lies deeper was made to get away from it, and is
    /// reached again from its own directory.
    private static let openDepth = 64

    /// What the tree at `path` takes; nothing when it isn't there.
    static func measure(_ path: String) throws(ImportFailure) -> DiskUsage {
        var usage = DiskUsage()
        let fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
        if fd == -ENOENT { return usage }
        let root = OpenFile(owning: try check(fd, "open", path))
        var linked: Set<UInt64> = []
        // Directories too deep for the recursion wait here, each as an open descriptor.
        var waiting: [OpenFile] = [root]
        count(root.fd, &usage, &linked)
        while let directory = waiting.popLast() {
            try walk(directory, depth: 1, &usage, &linked, &waiting, path)
        }
        return usage
    }

    private static func walk(
        _ directory: OpenFile, depth: Int, _ usage: inout DiskUsage, _ linked: inout Set<UInt64>,
        _ waiting: inout [OpenFile], _ path: String
    ) throws(ImportFailure) {
        for name in try TreeRemoval.names(in: directory.fd, path: path) {
            var status = stat()
            // Removed meanwhile: a container is at work here.
            guard fstatat(directory.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            if status.st_mode & S_IFMT != S_IFDIR {
                if status.st_nlink > 1 && !linked.insert(UInt64(status.st_ino)).inserted { continue }
                usage.bytes += UInt64(status.st_blocks) * 512
                usage.inodes += 1
                continue
            }
            let flags = UInt64(O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let fd = sys_openat2(directory.fd, name, flags, 0, Resolve.noXDev | Resolve.noSymlinks)
            guard fd >= 0 else { continue }
            let child = OpenFile(owning: fd)
            usage.bytes += UInt64(status.st_blocks) * 512
            usage.inodes += 1
            if depth < openDepth {
                try walk(child, depth: depth + 1, &usage, &linked, &waiting, path)
            } else if waiting.count < openDepth {
                waiting.append(child)
            }
        }
    }

    private static func count(_ directory: Int32, _ usage: inout DiskUsage, _ linked: inout Set<UInt64>) {
        var status = stat()
        guard fstat(directory, &status) == 0 else { return }
        usage.bytes += UInt64(status.st_blocks) * 512
        usage.inodes += 1
    }
}
