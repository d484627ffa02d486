import CLinux
import CRI
import Glibc
import Linux

/// Makes host directories for the volumes that an image declares, with what the image has at their places.
///
/// The paths and the trees are the image author's: everything is opened through a descriptor of the root filesystem
/// (CVE-2022-23648), links are copied as links, devices and sockets not at all, and there is a limit on both counts.
enum VolumeCopy {
    static let mostEntries = 100_000
    static let mostBytes: UInt64 = 4 << 30

    /// Blocking. Makes `<folder>/<n>` for every volume in turn and returns path in the container → host directory.
    static func prepare(volumes: [String], rootfs: String, folder: String) throws -> [(
        destination: String, source: String
    )] {
        guard !volumes.isEmpty else { return [] }
        let root = try File.open(rootfs, OpenFlag.path | O_DIRECTORY)
        var result: [(destination: String, source: String)] = []
        try Directory.make(folder, mode: 0o711)
        for (index, volume) in volumes.prefix(64).enumerated() {
            let destination = ProcessPlan.cleanPath(volume)
            guard destination != "/", !destination.utf8.contains(0) else { continue }
            let source = "\(folder)/\(index)"
            try Directory.make(source, mode: 0o755)
            let target = try File.open(source, O_RDONLY | O_DIRECTORY)
            var budget = Budget()
            do {
                let origin = try RootedPath.open(
                    String(destination.dropFirst()), O_RDONLY | O_DIRECTORY | O_CLOEXEC, root: root.raw,
                    resolve: [.inRoot, .noMagicLinks])
                try copyContents(from: origin, to: target, budget: &budget, depth: 0)
                try copyOwner(from: origin, to: target)
            } catch let error as SystemError where error.errno == .noEntry || error.errno == .notDirectory {
                // The image has nothing there: the volume begins empty.
            } catch let error as SystemError where error.errno == .loop {
                throw CRIError(
                    .invalidArgument,
                    "the image declares a volume at \(volume), where its symbolic links lead round in a circle")
            }
            result.append((destination, source))
        }
        return result
    }

    private struct Budget {
        var entries = mostEntries
        var bytes = mostBytes

        mutating func spend(_ size: UInt64) throws(CRIError) {
            guard entries > 0, bytes >= size else {
                throw CRIError(.resourceExhausted, "an image volume holds more than \(mostEntries) entries or 4 GiB")
            }
            entries -= 1
            bytes -= size
        }
    }

    private static func copyContents(
        from origin: borrowing Descriptor, to target: borrowing Descriptor, budget: inout Budget, depth: Int
    ) throws {
        guard depth < 64 else { throw CRIError(.invalidArgument, "an image volume is nested deeper than 64") }
        for name in try Directory.names(of: origin) {
            let status = try FileStatus(at: origin.raw, name, followLinks: false)
            try budget.spend(status.isRegular ? status.size : 0)
            if status.isDirectory {
                try checkErrno(mkdirat(target.raw, name, 0o700), "mkdir", name)
                let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
                let below = try File.open(name, flags, at: origin.raw)
                let made = try File.open(name, flags, at: target.raw)
                try copyContents(from: below, to: made, budget: &budget, depth: depth + 1)
                try copyOwner(from: below, to: made)
            } else if status.isRegular {
                let file = try File.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: origin.raw)
                let made = try File.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: target.raw)
                try copyBytes(from: file, to: made)
                try copyOwner(from: file, to: made)
            } else if status.isSymlink {
                try File.symlink(try File.readLink(name, at: origin.raw), name, at: target.raw)
                try checkErrno(
                    fchownat(target.raw, name, status.raw.uid, status.raw.gid, AT_SYMLINK_NOFOLLOW), "chown", name)
            }
        }
    }

    private static func copyBytes(from file: borrowing Descriptor, to made: borrowing Descriptor) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return }
            try made.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    private static func copyOwner(from: borrowing Descriptor, to: borrowing Descriptor) throws {
        let status = try from.status()
        try checkErrno(fchown(to.raw, status.raw.uid, status.raw.gid), "chown")
        try checkErrno(fchmod(to.raw, status.permissions), "chmod")
    }
}
