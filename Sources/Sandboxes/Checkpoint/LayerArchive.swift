import CLinux
import Glibc
import Linux

/// What a container has written, as a tar archive in the format of image layers: what it removed is a `.wh.` entry.
enum LayerArchive {
    private static let mostDepth = 256

    /// Writes the upper directory of an overlay. The container may be writing: a file that vanishes is left out. Blocking.
    static func write(upper: String, to file: consuming Descriptor) throws(SystemError) {
        let root = try File.open(upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let writer = TarWriter(file)
        try write(root, prefix: "", writer, depth: 0)
        try writer.finish()
    }

    private static func write(
        _ folder: borrowing Descriptor, prefix: String, _ writer: borrowing TarWriter, depth: Int
    ) throws(SystemError) {
        guard depth < mostDepth else { return }
        for name in try Directory.names(of: folder).sorted() {
            guard let status = try? FileStatus(at: folder.raw, name, followLinks: false) else { continue }
            let path = prefix + name
            var entry = TarWriter.Entry(
                name: path, kind: .fifo, mode: status.permissions, uid: status.uid, gid: status.gid,
                modifiedSeconds: status.raw.mtime_seconds)
            if status.isDirectory {
                guard let child = open(name, O_DIRECTORY, in: folder.raw) else { continue }
                entry.name = path + "/"
                entry.kind = .directory
                try writer.add(entry)
                if isOpaque(child.raw) {
                    try writer.add(TarWriter.Entry(name: path + "/.wh..wh..opq", kind: .file(size: 0), mode: 0o600))
                }
                try write(child, prefix: path + "/", writer, depth: depth + 1)
            } else if status.isRegular {
                guard let file = open(name, 0, in: folder.raw), let now = try? file.status() else { continue }
                entry.kind = .file(size: now.size)
                try writer.add(entry, contents: file)
            } else if status.isSymlink {
                guard let target = try? File.readLink(name, at: folder.raw) else { continue }
                entry.kind = .link(target: target)
                try writer.add(entry)
            } else if status.isCharacterDevice, status.raw.rdev_major == 0, status.raw.rdev_minor == 0 {
                try writer.add(TarWriter.Entry(name: prefix + ".wh." + name, kind: .file(size: 0), mode: 0o600))
            } else if status.isCharacterDevice || status.isBlockDevice {
                entry.kind = .device(
                    block: status.isBlockDevice, major: status.raw.rdev_major, minor: status.raw.rdev_minor)
                try writer.add(entry)
            } else if status.isFIFO {
                try writer.add(entry)
            }
        }
    }

    private static func open(_ name: String, _ flags: Int32, in folder: Int32) -> Descriptor? {
        try? RootedPath.open(
            name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, root: folder,
            resolve: [.noCrossMount, .noSymlinks])
    }

    /// A directory that hides what the image has there.
    private static func isOpaque(_ folder: Int32) -> Bool {
        var value = [UInt8](repeating: 0, count: 4)
        return sys_fgetxattr(folder, "trusted.overlay.opaque", &value, value.count) == 1
            && value[0] == UInt8(ascii: "y")
    }
}
