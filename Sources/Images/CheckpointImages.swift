import CLinux
import Glibc
import Linux

/// The process images of a checkpoint archive, and nothing else of it.
///
/// An archive may come from anywhere, and other runtimes took paths, mounts, labels and commands from it (CVE-2026-53489,
/// CVE-2026-53492, CVE-2026-95837). Of ours only the files that hold processes and their memory are taken, by an allow-list
/// of names; what a container is, its create request says.
public enum CheckpointImages {
    /// Beginnings of the names that criu gives to images of processes. Not among them are those that criu hands to other
    /// programs or unpacks as files: network tables, and the contents of filesystems.
    private static let kinds: Set<String> = [
        "inventory", "pstree", "seccomp", "stats", "files", "timens", "tty-info", "fdinfo", "core", "mm", "pagemap",
        "pagemap-shmem", "pages", "ids", "fs", "rlimit", "sigacts", "itimers", "posix-timers", "creds", "utsns",
        "ipcns-var", "ipcns-shm", "ipcns-msg", "ipcns-sem", "mountpoints", "cgroup", "pipes-data", "fifo-data",
        "remap-fpath", "reg-files", "pipes", "fifo", "eventfd-file", "eventpoll-tfd", "eventpoll-file", "signalfd",
        "inotify-wd", "inotify-file", "timerfd", "signal-s", "signal-p", "userns", "apparmor", "binfmt-misc",
        "bpfmap-file", "bpfmap-data",
    ]

    /// Whether a file of the archive's `checkpoint` directory is such an image: `core-1.img`, `pages-1.img`, and what says
    /// which pipes the standard streams were.
    static func isImage(_ name: String) -> Bool {
        if name == "descriptors.json" { return true }
        guard name.hasSuffix(".img") else { return false }
        let stem = name.dropLast(4)
        if kinds.contains(String(stem)) { return true }
        guard let dash = stem.lastIndex(of: "-"), kinds.contains(String(stem[..<dash])) else { return false }
        let number = stem[stem.index(after: dash)...]
        return !number.isEmpty && number.utf8.count <= 20 && number.utf8.allSatisfy { (48...57).contains($0) }
    }

    /// Unpacks the images of the archive `name` below the directory `folder` into `target`, which is made, 0700.
    ///
    /// The archive is opened below its directory without following links: its name comes from a request. Nothing is left
    /// when it fails.
    /// - Parameter limitBytes: more than this is refused
    /// - Throws: ``ImageError/refused(tarball:entry:reason:)`` for an archive without images
    public static func unpack(
        _ name: String, below folder: String, into target: String, limitBytes: UInt64 = 64 << 30
    ) throws(ImageError) {
        let path = "\(folder)/\(name)"
        do throws(ImportFailure) {
            let directory = try OpenFile.directory(folder)
            let flags = UInt64(O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let opened = sys_openat2(directory.fd, name, flags, 0, Resolve.beneath | Resolve.noSymlinks)
            let file = OpenFile(owning: try check(opened, "open", path))
            var status = stat()
            try checkErrno(fstat(file.fd, &status), "stat", path)
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw .refused(entry: nil, reason: "not a regular file")
            }
            try makeDirectories(target)
            do throws(ImportFailure) {
                try unpack(
                    FileWindow(file, path: path, offset: 0, length: UInt64(status.st_size)), into: target,
                    limitBytes: limitBytes)
            } catch {
                try? TreeRemoval.remove(target)  // The first error is the one to report.
                throw error
            }
        } catch {
            throw error.imageError(tarball: path)
        }
    }

    private static func unpack(
        _ source: any ByteSource, into target: String, limitBytes: UInt64
    ) throws(ImportFailure) {
        let limits = ImageLimits()
        let reader = TarReader(source, limits: limits, entryLimit: limits.archiveEntries)
        let directory = try OpenFile.directory(target)
        var left = limitBytes
        var found = false
        while let entry = try reader.next() {
            guard let name = imageName(entry) else { continue }
            guard entry.extents == nil, entry.size <= left else {
                throw .refused(entry: printable(entry.name), reason: "more than \(limitBytes) bytes of images")
            }
            left -= entry.size
            // A second one of the same name is refused: which of them would be meant?
            let made = sys_openat(directory.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
            if made == -EEXIST { throw .refused(entry: printable(entry.name), reason: "is there twice") }
            let file = OpenFile(owning: try check(made, "create", "\(target)/\(name)"))
            while let piece = try reader.chunk() { try writeAll(file.fd, piece, "\(target)/\(name)") }
            found = found || name == "inventory.img"
        }
        guard found else {
            throw .refused(entry: nil, reason: "no checkpoint of processes (checkpoint/inventory.img) is in it")
        }
    }

    /// The plain name of an image that is taken; nil for everything else.
    private static func imageName(_ entry: TarEntry) -> String? {
        guard entry.kind == .regular else { return nil }
        var text = String(decoding: entry.name, as: UTF8.self)
        if text.hasPrefix("./") { text.removeFirst(2) }
        guard text.hasPrefix("checkpoint/") else { return nil }
        let name = String(text.dropFirst(11))
        return isImage(name) ? name : nil
    }
}
